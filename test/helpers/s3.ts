/** A real S3-compatible server for tests: moto's, which checks signatures as Amazon does, on a free port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AwsClient } from 'aws4fetch'

export interface TestS3 {
  readonly endpoint: string
  readonly accessKey: string
  readonly secretKey: string
  /** The names of a bucket's objects. */
  list(bucket: string): Promise<readonly string[]>
  stop(): Promise<void>
}

const howToRun =
  'To run them: pip install "moto[server]", and have moto_server on the PATH or its path in PLANTAIN_TEST_MOTO.'

/**
 * Null where there is none: then the tests that need it are left out, with a sentence that says so, unless `CI=true` or
 * `PLANTAIN_TEST_REQUIRE=s3` makes them compulsory. `buckets` are made in it.
 */
export async function findS3(buckets: readonly string[]): Promise<TestS3 | null> {
  const found = await startMoto(buckets)
  if (found) return found
  if (process.env.CI === 'true' || process.env.PLANTAIN_TEST_REQUIRE?.includes('s3'))
    throw new Error(`These tests need a real S3 server. ${howToRun}`)
  process.stderr.write(`\nLeft out: tests that need a real S3 server. ${howToRun}\n`)
  return null
}

async function startMoto(buckets: readonly string[]): Promise<TestS3 | null> {
  const port = await freePort()
  const command = process.env.PLANTAIN_TEST_MOTO || 'moto_server'
  // Who may do what is asked from then on: the user, the policy, the key and the buckets are made before.
  const unasked = String(3 + buckets.length)
  const server = spawn(command, ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: unasked },
  })
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  const endpoint = `http://127.0.0.1:${port}`
  if (!(await answers(server, endpoint))) {
    process.off('exit', kill)
    return null
  }
  const key = await makeUser(endpoint)
  const client = { accessKeyId: key.accessKey, secretAccessKey: key.secretKey }
  for (const bucket of buckets) await asked('s3', 'PUT', `${endpoint}/${bucket}`)
  return {
    endpoint,
    ...key,
    list: async bucket => {
      const answer = await new AwsClient({ ...client, service: 's3' }).fetch(`${endpoint}/${bucket}?list-type=2`)
      return [...(await answer.text()).matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key = '']) => key)
    },
    stop: async () => {
      process.off('exit', kill)
      if (server.exitCode === null && kill()) await once(server, 'exit')
    },
  }
}

async function answers(server: ChildProcess, endpoint: string): Promise<boolean> {
  let ended = false
  server.once('error', () => {
    ended = true
  })
  server.once('exit', () => {
    ended = true
  })
  while (!ended) {
    if (
      await fetch(`${endpoint}/moto-api/`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return true
    await sleep(50)
  }
  return false
}

async function makeUser(endpoint: string): Promise<{ accessKey: string; secretKey: string }> {
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] }
  const iam = (fields: Record<string, string>) =>
    asked('iam', 'POST', endpoint, new URLSearchParams({ ...fields, UserName: 'plantain', Version: '2010-05-08' }))
  await iam({ Action: 'CreateUser' })
  await iam({ Action: 'PutUserPolicy', PolicyName: 'all', PolicyDocument: JSON.stringify(everything) })
  const made = await iam({ Action: 'CreateAccessKey' })
  const textOf = (tag: string) => new RegExp(`<${tag}>(.*?)</${tag}>`).exec(made)?.[1] ?? ''
  return { accessKey: textOf('AccessKeyId'), secretKey: textOf('SecretAccessKey') }
}

/** moto finds the service in the header, and does not look at the signature yet. */
async function asked(service: string, method: string, url: string, body?: URLSearchParams): Promise<string> {
  const authorization = `AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=any`
  const answer = await fetch(url, { method, headers: { authorization }, ...(body && { body }) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`moto answered ${answer.status}: ${text}`)
  return text
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
