export { msgpackCodec } from "@tandem/protocol/msgpack";
