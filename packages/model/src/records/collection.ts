import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkBounds } from "../bounds.ts";
import type { Fields } from "./entry.ts";
import { equal } from "./entry.ts";

/**
 * What becomes of a change of a field that somebody else has changed since: `last`: the last change counts; `refuse`: it is refused, with a reason
 * that shows both (`ConflictReason`); a function: what it makes of both, `undefined`: refused. The function is pure: it is asked on the client and on the server.
 */
export type Policy<V> =
  | "last"
  | "refuse"
  | ((base: V | undefined, mine: V | undefined, theirs: V | undefined) => V | undefined);

/** The records of a schema: an object of JSON values. */
export type ValueOf<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>;

export interface CollectionInput<S extends StandardSchemaV1> {
  /** Of a record: a plain object of JSON values. It answers at once, and takes what it has given out as it is. */
  readonly schema: S;
  /** By field. Default `last`. */
  readonly policies?: { readonly [F in keyof ValueOf<S>]?: Policy<ValueOf<S>[F]> };
  /** Do its records stand in an order that users make? Default false. */
  readonly order?: boolean;
  /** Most records. Default 10,000. */
  readonly most?: number;
  /** Most letters of JSON that a record takes, however it came to them. Default 65,536. */
  readonly longest?: number;
}

/** A collection, with its defaults. */
export interface Collection {
  readonly schema: StandardSchemaV1;
  readonly policies: ReadonlyMap<string, Policy<unknown>>;
  readonly order: boolean;
  readonly most: number;
  readonly longest: number;
}

export interface Issue {
  readonly path: string;
  readonly message: string;
}

const ISSUES = 10;

/** @throws RangeError on a bound that cannot be, or a schema that answers later */
export function toCollection(name: string, input: CollectionInput<StandardSchemaV1>): Collection {
  const { schema, policies = {}, order = false, most = 10_000, longest = 65_536 } = input;
  checkBounds({ [`most of ${name}`]: most, [`longest of ${name}`]: longest });
  checked(name, schema, {});
  return {
    schema,
    policies: new Map(Object.entries(policies as Record<string, Policy<unknown>>)),
    order,
    most,
    longest,
  };
}

/** A record as its schema takes it, in JSON. @throws RangeError where the schema answers later */
export function valueFor(
  name: string,
  { schema, longest }: Collection,
  value: unknown,
): { readonly value: Fields } | { readonly issues: readonly Issue[] } {
  const result = checked(name, schema, value);
  if (result.issues) {
    return {
      issues: result.issues.slice(0, ISSUES).map(({ path = [], message }) => ({
        path: path.map((part) => String(typeof part === "object" ? part.key : part)).join("."),
        message,
      })),
    };
  }
  const text = JSON.stringify(result.value ?? null);
  if (text.length > longest) return { issues: [{ path: "", message: `a record takes ${longest} letters at most` }] };
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { issues: [{ path: "", message: "a record is an object" }] };
  }
  return { value: json as Fields };
}

function checked(name: string, schema: StandardSchemaV1, value: unknown): StandardSchemaV1.Result<unknown> {
  const result = schema["~standard"].validate(value);
  if (!(result instanceof Promise)) return result;
  result.catch(() => {});
  throw new RangeError(`the schema of ${name} answers later: records are decided at once`);
}

/** What becomes of one field: its value, `undefined`: it goes; or it is in conflict. */
export function resolve(
  policy: Policy<unknown>,
  base: unknown,
  mine: unknown,
  theirs: unknown,
): { readonly value: unknown } | "conflict" {
  if (policy === "last" || equal(theirs, base) || equal(theirs, mine)) return { value: mine };
  if (policy === "refuse") return "conflict";
  const value = policy(base, mine, theirs);
  return value === undefined ? "conflict" : { value };
}
