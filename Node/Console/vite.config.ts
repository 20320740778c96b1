import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** Every asset once more, compressed: nodes send files as they are. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    writeBundle({ dir }, bundle) {
      for (const fileName of Object.keys(bundle).filter(name => !name.endsWith('.html'))) {
        const path = join(dir!, fileName)
        const content = readFileSync(path)
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params }))
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  plugins: [react(), precompress()],
  // The node puts a nonce of its own into every page that it answers.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  server: {
    // For `npm run dev`: the pages from here, the data from a node.
    proxy: Object.fromEntries(
      ['/query', '/databases', '/history', '/status', '/cluster', '/events', '/health', '/tokens', '/openapi'].map(path => [
        path,
        process.env.DISTDB_URL ?? 'http://127.0.0.1:8080',
      ]),
    ),
  },
})
