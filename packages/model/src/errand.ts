/**
 * What a deadline brings with it beside the model's own events: done by the server, with the application's authority, before the deadline acts. What a model tells
 * others is told once (`once`), whoever has tried before. Take care who can put something into the state that it comes from.
 */
export type Errand =
  | { readonly kind: "tell"; readonly once: string; readonly to: Telling }
  /** The model's channel goes, as a whole; the deadline with it. */
  | { readonly kind: "remove" };

/** An event or a command for another channel. */
export type Telling =
  | { readonly channel: string; readonly user?: string | undefined; readonly event: string; readonly data: unknown }
  | {
      readonly channel: string;
      readonly user?: string | undefined;
      readonly model: string;
      readonly command: string;
      readonly input: unknown;
    };
