// The entry of the bundle that is weighed: the client with its default codec, kept whole by being exported.
export { createClient } from "@tandem/client";
