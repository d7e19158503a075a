/** `npm run sandbox`: the sandbox alone, for programs that are to talk to it as if it were Google. */
import { onNpmEnd } from '../leaving.ts'
import { startSandbox } from './start.ts'

const port = process.env.PLANTAIN_SANDBOX_PORT ?? '8090'
const explain = (error: unknown) => (error instanceof Error ? error.message : String(error))

try {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Error(`PLANTAIN_SANDBOX_PORT is '${port}', and must be a number up to 65535.`)
  }
  const { url, models } = await startSandbox({
    port: Number(port),
    host: '127.0.0.1',
    onFault: error => process.stderr.write(`A request failed: ${explain(error)}\n`),
  })
  onNpmEnd(() => process.exit(0))
  process.stdout.write(`The sandbox listens on ${url} and paints as ${models.join(', ')}.

  curl -s ${url}/v1beta/models/${models[0]}:generateContent -H 'x-goog-api-key: any' -H 'content-type: application/json' \\
    -d '{"contents":[{"parts":[{"text":"A lighthouse at dusk"}]}],"generationConfig":{"imageConfig":{"aspectRatio":"16:9"}}}' \\
    | node -e 'process.stdin.setEncoding("utf8").toArray().then(t => process.stdout.write(
        Buffer.from(JSON.parse(t.join("")).candidates[0].content.parts[0].inlineData.data, "base64")))' > picture.jpg
`)
} catch (error) {
  process.stderr.write(`The sandbox did not start: ${explain(error)}\n`)
  process.exitCode = 1
}
