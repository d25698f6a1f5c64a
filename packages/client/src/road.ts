/** The roads of a client without the network under them. For those who bring one of their own, as the simulator does. */
export { OtherRoad } from "./transport/http/other-road.ts";
export type { Post, PostEvents, PostRequest } from "./transport/http/post.ts";
export { chooseRoad } from "./transport/road.ts";
export type { RoadMemory } from "./transport/road-memory.ts";
