import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** `npm start` builds it when it is older than its sources; `vite studio` serves it with reload, beside a running `npm start`. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: { outDir: "dist", emptyOutDir: true, target: "es2022", sourcemap: false, chunkSizeWarningLimit: 1200 },
  // Our own modules in studio/api/ are served, not asked of the server.
  server: { proxy: Object.fromEntries(["^/api/(?!\\w+[.]ts)", "/oauth", "/docs", "/healthz", "/readyz"].map((path) => [path, "http://127.0.0.1:4400"])) },
});
