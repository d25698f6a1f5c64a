import { expect, test } from "vitest";
import { missingEntries } from "./lock.ts";

test("platform packages that the lock file lacks are added beside the package that names them", () => {
  const packages = {
    "": {},
    "node_modules/tool": {
      dev: true,
      optionalDependencies: { "@tool/linux-x64-gnu": "1.0.0", "@tool/darwin-arm64": "1.0.0" },
    },
    "node_modules/@tool/linux-x64-gnu": { version: "1.0.0" },
    "node_modules/other/node_modules/tool": {
      optionalDependencies: { "@tool/linux-x64-gnu": "0.9.0", "@tool/wasm32-wasi": "0.9.0", fsevents: "~2.3.3" },
    },
  };
  expect(missingEntries(packages)).toEqual({
    "node_modules/@tool/darwin-arm64": { version: "1.0.0", cpu: ["arm64"], dev: true, optional: true, os: ["darwin"] },
    "node_modules/other/node_modules/@tool/linux-x64-gnu": {
      version: "0.9.0",
      cpu: ["x64"],
      libc: ["glibc"],
      optional: true,
      os: ["linux"],
    },
    "node_modules/other/node_modules/@tool/wasm32-wasi": { version: "0.9.0", cpu: ["wasm32"], optional: true },
    "node_modules/other/node_modules/fsevents": { version: "2.3.3", optional: true, os: ["darwin"] },
  });
});

test("a package whose platform cannot be told is refused", () => {
  const packages = { "node_modules/tool": { optionalDependencies: { extra: "1.0.0" } } };
  expect(() => missingEntries(packages)).toThrow("tells no platform");
});
