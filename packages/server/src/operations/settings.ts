import type { Limits } from "@tandem/protocol";
import { DEFAULT_LIMITS, LimitsSchema } from "@tandem/protocol";
import { isNetwork } from "./network.ts";
import type { Group, Kind, Setting } from "./setting.ts";
import { isOrigin, list, oneOf, text, wholeNumber } from "./setting.ts";

const define =
  (group: Group) =>
  <T>(name: string, kind: Kind<T>, fallback: string, meaning: string, secret = false): Setting<T> => ({
    name,
    group,
    ...kind,
    default: fallback,
    meaning,
    secret,
  });

const server = define("server");
const access = define("access");
const log = define("log");
const command = define("command");

/** Every setting that a server reads from its environment. docs/configuration.md is made from this table. */
export const SETTINGS = {
  mode: server(
    "TANDEM_MODE",
    oneOf(["development", "production"]),
    "(production when NODE_ENV is production, else development)",
    "Production starts only with a secret or a key set for tokens; development makes itself a secret and keeps it in the data folder.",
  ),
  port: server("TANDEM_PORT", wholeNumber(0, 65_535), "8080", "The port to listen on; 0 takes any that is free."),
  host: server(
    "TANDEM_HOST",
    text("an address of this machine, such as 127.0.0.1"),
    "(127.0.0.1 in development, 0.0.0.0 in production)",
    "The address to listen on.",
  ),
  data: server("TANDEM_DATA", text("a folder"), "./data", "The folder of the database. Made when it is not there."),
  config: server("TANDEM_CONFIG", text("a file"), "tandem.config.ts", "The file with the app definition."),
  static: server(
    "TANDEM_STATIC",
    text("a folder"),
    "(nothing)",
    "A folder of files to serve at `/`, such as a built page.",
  ),
  maxConnections: server(
    "TANDEM_MAX_CONNECTIONS",
    wholeNumber(1, 1_000_000),
    "20000",
    "Most connections at one time. One more is answered 503.",
  ),
  drainMs: server(
    "TANDEM_DRAIN_MS",
    wholeNumber(100, 600_000),
    "10000",
    "Milliseconds from SIGTERM to the end. Clients are told to come back spread over half of it.",
  ),
  flushMs: server(
    "TANDEM_FLUSH_MS",
    wholeNumber(0, 10),
    "6",
    "Longest time in milliseconds that an event waits on a busy node for others to go out in the same write, and for that write. On a quiet node, and in the critical lane, none waits.",
  ),
  compressAbove: server(
    "TANDEM_COMPRESS_ABOVE",
    wholeNumber(0, 16_777_216),
    "1024",
    "Frames from this length in bytes go out compressed, to clients that offer it; 0: never.",
  ),
  secret: access(
    "TANDEM_SECRET",
    text("at least 32 characters long; make one with: openssl rand -base64 48"),
    "(none)",
    "The secret that signs tokens (HS256), 32 bytes or more.",
    true,
  ),
  secretFile: access(
    "TANDEM_SECRET_FILE",
    text("a file"),
    "(none)",
    "A file that holds the secret, instead of `TANDEM_SECRET`.",
  ),
  jwks: access(
    "TANDEM_JWKS",
    text("an https address or a file"),
    "(none)",
    "Where the public keys for tokens (RS256, ES256, EdDSA) are: an address or a file. Needs `TANDEM_ISSUER` and `TANDEM_AUDIENCE` in production.",
  ),
  issuer: access("TANDEM_ISSUER", text("the claim `iss` of your tokens"), "(any)", "Tokens must be from this issuer."),
  audience: access(
    "TANDEM_AUDIENCE",
    text("the claim `aud` of your tokens"),
    "(any)",
    "Tokens must be for this audience.",
  ),
  maxTokenSeconds: access(
    "TANDEM_MAX_TOKEN_SECONDS",
    wholeNumber(60, 2_592_000),
    "2592000",
    "Longest life of a token in seconds (30 days); one that lives longer is refused.",
  ),
  origins: access(
    "TANDEM_ORIGINS",
    list("origins with commas between them, such as https://app.example.com", isOrigin),
    "(pages from the host they connect to)",
    "The origins whose pages may connect. With this set, no other may.",
  ),
  trustProxy: access(
    "TANDEM_TRUST_PROXY",
    list("addresses or ranges with commas between them, such as 10.0.0.0/8,127.0.0.1", isNetwork),
    "(nobody)",
    "The proxies whose `X-Forwarded-For` is believed.",
  ),
  logLevel: log(
    "TANDEM_LOG_LEVEL",
    oneOf(["debug", "info", "warn", "error", "silent"]),
    "info",
    "The least that is logged.",
  ),
  logFormat: log(
    "TANDEM_LOG_FORMAT",
    oneOf(["json", "pretty"]),
    "(pretty in development, json in production)",
    "JSON, one object a line, or lines for eyes. Both go to standard error.",
  ),
  url: command(
    "TANDEM_URL",
    text("the address of a server, such as ws://localhost:8080/ws"),
    "ws://localhost:8080/ws",
    "The server that `tandem publish` and `tandem tail` talk to. A server itself ignores it.",
  ),
  token: command(
    "TANDEM_TOKEN",
    text("a token"),
    "(none)",
    "The token of `tandem publish` and `tandem tail`. A server itself ignores it.",
    true,
  ),
} satisfies Record<string, Setting>;

const LIMIT_MEANINGS: Record<keyof Limits, string> = {
  frameBytes: "Longest frame a client may send, in bytes.",
  frameMessages: "Most messages in one frame from a client.",
  depth: "Deepest nesting of any message.",
  eventBytes: "Longest payload of one event, in bytes of JSON.",
  subscriptions: "Most subscriptions of one connection.",
  inFlight: "Most publishes of one connection that wait for their outcome.",
  requests: "Most requests of other kinds of one connection that wait for their answer.",
  historyPage: "Most events of one history page.",
  windowBytes: "Bytes that may be on their way to a client without its acknowledgement.",
  bytesPerSecond: "Bytes a second that one connection is sent at most, on average; 0: as fast as it takes them.",
  watches: "Most channels whose presence one connection watches or has entered.",
  presenceBytes: "Longest presence state, in bytes of JSON.",
  signalBytes: "Longest signal, in bytes of JSON.",
  signalKeys: "Most keys of signals in one message, and of one device in one channel.",
  signalMs: "Least milliseconds between two signals of one key.",
  following: "Most durable subscriptions of one user.",
  publishesPerConnection: "Publishes a second of one connection, on average and at once.",
  publishesPerUser: "Publishes a second of one user, on average and at once.",
  publishesPerAddress: "Publishes a second from one address, on average and at once.",
  signalsPerConnection: "Signals and changes of presence a second of one connection, on average and at once.",
  signalsPerUser: "Signals and changes of presence a second of one user, on average and at once.",
  signalsPerAddress: "Signals and changes of presence a second from one address, on average and at once.",
  connectionsPerUser: "Most connections of one user at one time.",
  connectionsPerAddress: "Most connections from one address at one time.",
  guestsPerAddress: "Guests an hour from one address that were not here before, on average and at once.",
  pingMs: "Milliseconds of silence after which the server pings.",
  pongMs: "Milliseconds after a ping without any sign of life, after which the connection is given up.",
};

/** The limits that clients are told in `welcome`, one setting each. */
export const LIMIT_SETTINGS = Object.fromEntries(
  (Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]).map((key) => {
    const { least, most } = boundsOf(key);
    const name = `TANDEM_LIMIT_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    return [key, define("limits")(name, wholeNumber(least, most), String(DEFAULT_LIMITS[key]), LIMIT_MEANINGS[key])];
  }),
) as Record<keyof Limits, Setting<number>>;

function boundsOf(key: keyof Limits): { least: number; most: number } {
  const [, , least, most] = LimitsSchema.entries[key].pipe;
  return { least: least.requirement, most: most.requirement };
}

export const ALL_SETTINGS: readonly Setting[] = [...Object.values(SETTINGS), ...Object.values(LIMIT_SETTINGS)];
