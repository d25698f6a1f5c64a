export {
  ChannelNameSchema,
  channelId,
  channelName,
  channelType,
  isChannelName,
  matchesPattern,
} from "./channel-name.ts";
export type { Codec, Encoded, FrameCodec, KeyCount, StoredEvent } from "./codec.ts";
export {
  afterClose,
  closeCodeOf,
  ERRORS,
  type ErrorCode,
  type ErrorDetails,
  isErrorCode,
  TandemError,
} from "./errors.ts";
export { type Condition, type Filter, FilterFieldSchema, FilterSchema, filterKey } from "./filter.ts";
export { askedId, bodyDigest, chainTag, decidedId, eventId } from "./hash.ts";
export { BODY_FRAMES, type Close, FRAME_END, HEARTBEAT_MS, HTTP_PATHS, RESPONSE_MS } from "./http.ts";
export { jsonCodec } from "./json.ts";
export { jsonFrames } from "./json-frames.ts";
export { DEFAULT_LIMITS, type Limits, LimitsSchema, limitFaults } from "./limits.ts";
export { type Filterable, matcherOf } from "./matching.ts";
export { errorOf, MEANINGS } from "./meanings.ts";
export {
  type ClientMessage,
  type ClientMessageInput,
  ClientMessageSchema,
  type Request,
} from "./messages/client-message.ts";
export type { ErrorMessage } from "./messages/error.ts";
export { type ChannelEvent, EventSchema, type Events } from "./messages/events.ts";
export {
  EventNameSchema,
  EventVersionSchema,
  FenceSchema,
  type FenceToken,
  LANES,
  type Lane,
  ModelNameSchema,
} from "./messages/fields.ts";
export type { Follow, Following, FollowingList, Unfollow } from "./messages/following.ts";
export type { Hello, Refresh, Welcome } from "./messages/hello.ts";
export type { History, Page } from "./messages/history.ts";
export type { Closing, Ping, Pong, Received } from "./messages/liveness.ts";
export type { Command, State, StatePiece } from "./messages/model.ts";
export {
  type Activity,
  type Enter,
  type Leave,
  type Member,
  type Members,
  type Roster,
  type Signal,
  SignalKeySchema,
  type Signals,
  type Unsignalled,
  type Unwatch,
  type Watch,
} from "./messages/presence.ts";
export type { Publish, Published } from "./messages/publish.ts";
export { type ServerMessage, ServerMessageSchema } from "./messages/server-message.ts";
export type {
  Reset,
  ResetReason,
  Start,
  Subscribe,
  Subscribed,
  Unsubscribe,
  Unsubscribed,
} from "./messages/subscription.ts";
export { type Position, PositionSchema, samePosition } from "./position.ts";
export { mintedAt, mintProducer, ProducerIdSchema } from "./producer.ts";
export { type Arrival, decodeUntrusted } from "./untrusted.ts";
export { type CodecName, PROTOCOL_VERSION, SUBPROTOCOLS } from "./version.ts";
