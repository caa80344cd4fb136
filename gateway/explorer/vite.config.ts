import { defineConfig } from "vite";

const gateway = "http://127.0.0.1:8000";

export default defineConfig({
  base: "/explorer/",
  build: {
    target: "es2022",
    license: { fileName: "licenses.md" }, // of what the bundle is made of; a wheel carries them
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5000, // kB: the editor is one chunk, read once from this machine
  },
  worker: { format: "es" },
  // `npm run dev` beside `invoice-gateway demo`
  server: { proxy: { "/graphql": gateway, "/explorer/journeys.json": gateway, "/sources": gateway } },
});
