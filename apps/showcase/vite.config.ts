import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** `vite build` writes the page that the server serves at `/`; `vite` alone serves it beside a running server. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // Everything is a file of its own origin: the page's content policy allows no data addresses and nothing inline.
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/ws": { target: "ws://127.0.0.1:8080", ws: true } } },
});
