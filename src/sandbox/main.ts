/** `npm run sandbox`: the sandbox alone, for programs that are to talk to it as if it were Google. */
import { loadCatalogue } from '../models/catalogue.ts'
import { readShippedCatalogue } from '../models/shipped.ts'
import { sandboxModels } from './catalogue-models.ts'
import { createPainter } from './painter.ts'
import { createSandbox } from './server.ts'

const port = process.env.PLANTAIN_SANDBOX_PORT ?? '8090'
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  process.stderr.write(`PLANTAIN_SANDBOX_PORT is '${port}'; it must be a port between 0 and 65535.\n`)
  process.exit(78)
}

const models = sandboxModels(loadCatalogue(readShippedCatalogue(), []))
const sandbox = createSandbox({
  models,
  painter: createPainter(),
  onFault: error => process.stderr.write(`${error instanceof Error ? error.stack : error}\n`),
})

try {
  const { url } = await sandbox.listen(Number(port))
  process.stdout.write(`The sandbox listens on ${url} and serves ${models.map(({ id }) => id).join(', ')}.

  curl -s ${url}/v1beta/models/${models[0]?.id}:generateContent -H 'x-goog-api-key: any' -H 'content-type: application/json' \\
    -d '{"contents":[{"parts":[{"text":"A lighthouse at dusk"}]}],"generationConfig":{"imageConfig":{"aspectRatio":"16:9"}}}' \\
    | node -e 'process.stdin.setEncoding("utf8").toArray().then(t => process.stdout.write(
        Buffer.from(JSON.parse(t.join("")).candidates[0].content.parts[0].inlineData.data, "base64")))' > picture.jpg
`)
} catch (error) {
  process.stderr.write(`The sandbox cannot listen: ${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}
