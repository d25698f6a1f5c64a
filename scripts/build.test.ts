import { expect, test } from "vitest";
import { publishedManifest } from "./build.ts";

test("the published package.json names built files and fixed versions", () => {
  const manifest = {
    name: "@tandem/a",
    version: "0.1.0",
    exports: { ".": "./src/index.ts", "./msgpack": "./src/codec/msgpack.ts" },
    bin: { a: "./src/main.ts" },
    dependencies: { "@tandem/b": "*", ws: "^8.0.0" },
    devDependencies: { vitest: "^5.0.0" },
  };
  expect(publishedManifest(manifest, new Map([["@tandem/b", "0.1.0"]]))).toEqual({
    name: "@tandem/a",
    version: "0.1.0",
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./msgpack": { types: "./codec/msgpack.d.ts", default: "./codec/msgpack.js" },
      "./package.json": "./package.json",
    },
    bin: { a: "./main.js" },
    dependencies: { "@tandem/b": "0.1.0", ws: "^8.0.0" },
  });
});
