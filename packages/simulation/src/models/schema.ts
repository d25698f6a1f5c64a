/** A schema by hand for plain objects: each field with its own check, and no other field. */
export function schema<T extends object>(fields: Readonly<Record<keyof T, (value: unknown) => boolean>>) {
  const names = Object.keys(fields) as (keyof T & string)[];
  const validate = (value: unknown): { value: T } | { issues: { message: string }[] } => {
    const given = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
    const wrong =
      names.find((name) => !fields[name](given[name])) ??
      Object.keys(given).find((name) => !Object.hasOwn(fields, name));
    return wrong === undefined ? { value: given as T } : { issues: [{ message: `"${wrong}" is not as it should be` }] };
  };
  const types = undefined as { readonly input: T; readonly output: T } | undefined;
  return { "~standard": { version: 1 as const, vendor: "simulation", validate, types } };
}

export const text = (value: unknown): boolean => typeof value === "string" && value.length > 0;
export const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
