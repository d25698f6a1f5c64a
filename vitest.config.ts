import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Tests stand beside the source; end-to-end tests stand in the app that they drive. */
export default defineConfig({
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "apps/*/src/**/*.test.{ts,tsx}",
      "apps/*/e2e/**/*.test.ts",
      "bench/src/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    typecheck: {
      enabled: true,
      include: ["packages/*/src/**/*.test-d.ts"],
      ignoreSourceErrors: true,
    },
    environment: "node",
    // Threads and processes that tests start from source find their types stripped already: each would else compile the
    // stripper (WebAssembly) for itself, which is slow, and many at once can trip V8's code registry (nodejs/node 64500).
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "tandem-compile-cache") },
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 90_000,
  },
});
