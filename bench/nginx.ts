/** nginx as `proxy_pass` with buffers of 64 KB and no temporary files, on one worker. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'

export interface NginxOptions {
  /** Where its configuration, process id and (unused) temporary files lie. */
  readonly dir: string
  readonly port: number
  readonly upstream: { readonly scheme: 'http' | 'https'; readonly port: number }
}

/** Writes the configuration and returns the arguments that start nginx with it, in the foreground. */
export function configureNginx({ dir, port, upstream }: NginxOptions): string[] {
  mkdirSync(dir)
  const file = join(dir, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${join(dir, name)};`,
  )
  writeFileSync(
    file,
    `user ${userInfo().username};
worker_processes 1;
daemon off;
pid ${join(dir, 'nginx.pid')};
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  client_max_body_size 0;
  keepalive_requests 1000000000;
  upstream fake { server 127.0.0.1:${upstream.port}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass ${upstream.scheme}://fake;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_buffer_size 64k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;
      proxy_ssl_protocols TLSv1.3;
    }
  }
}
`,
  )
  return ['-p', dir, '-c', file, '-e', 'stderr']
}
