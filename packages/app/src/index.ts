export {
  type AppDefinition,
  type ChannelType,
  defineApp,
  type EventData,
  type EventName,
  type EventOutput,
  type Guests,
  type ModelName,
  type ModelOf,
  type PresenceInputOf,
  type PresenceState,
  type SignalData,
  type SignalName,
  type SignalOutput,
} from "./app.ts";
export {
  type ChannelDefinition,
  type ChannelInput,
  channel,
  type Models,
  type Overflow,
  type Protect,
  type Retention,
  type Visible,
  type Write,
} from "./channel.ts";
export { type EventDefinition, type EventInput, event, type Upcaster, upcast } from "./event.ts";
export type { PresenceDefinition, PresenceInput } from "./presence.ts";
export { type Access, type AccessRequest, type Grants, RIGHTS, type Right, type Viewer } from "./rights.ts";
