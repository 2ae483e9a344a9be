import { endpoint, lines, type Software } from './software.ts';

const executable = { debianPackage: 'haproxy', executable: 'haproxy' };

const shared = [
  'global',
  '  maxconn 500',
  'defaults',
  '  timeout connect 5s',
  '  timeout client 60s',
  '  timeout server 60s',
  '  retries 0',
];

/** HAProxy as a forward proxy for the absolute form: it sets the destination from the request. */
export const haproxy: Software = {
  ...executable,
  name: 'haproxy',
  launch({ folder, host, port, credentials, forbiddenPorts }) {
    return {
      args: ['-db', '-f', `${folder}/haproxy.cfg`],
      files: {
        'haproxy.cfg': lines(
          ...shared,
          '  mode http',
          'resolvers loopback',
          '  nameserver only 127.0.0.1:53',
          '  resolve_retries 1',
          'userlist users',
          credentials && `  user ${credentials.username} password ${credentials.hash}`,
          'frontend clients',
          // Makes it read Proxy-Authorization and respond 407 where the absolute form is used.
          '  option http-use-proxy-header',
          `  bind ${endpoint(host, port)}`,
          '  http-request deny deny_status 405 if METH_CONNECT',
          credentials && '  http-request auth realm haproxy unless { http_auth(users) }',
          `  http-request deny deny_status 403 if { hdr(host),port_only -m int ${forbiddenPorts.join(' ')} }`,
          '  http-request set-var(txn.host) hdr(host),host_only,regsub([][],,g)',
          '  http-request set-var(txn.to) var(txn.host) if { var(txn.host) -m ip 127.0.0.0/8 ::1 }',
          '  http-request do-resolve(txn.to,loopback,ipv4) var(txn.host) unless { var(txn.to) -m found }',
          '  http-request return status 502 unless { var(txn.to) -m found }',
          '  http-request set-dst var(txn.to)',
          '  http-request set-dst-port hdr(host),port_only',
          '  http-request set-uri %[pathq]',
          '  http-request del-header proxy-authorization',
          '  default_backend targets',
          'backend targets',
          '  server requested 0.0.0.0:0',
        ),
      },
    };
  },
};

/** HAProxy as TLS in front of another proxy. */
export const haproxyTls: Software = {
  ...executable,
  name: 'haproxy (TLS)',
  launch({ folder, host, port, pemFile, upstream }) {
    if (upstream === undefined) throw new Error('haproxy (TLS) stands in front of another proxy');
    return {
      args: ['-db', '-f', `${folder}/haproxy.cfg`],
      files: {
        'haproxy.cfg': lines(
          ...shared,
          '  mode tcp',
          'frontend clients',
          `  bind ${endpoint(host, port)} ssl crt ${pemFile}`,
          '  default_backend proxy',
          'backend proxy',
          `  server proxy ${endpoint(upstream.host, upstream.port)}`,
        ),
      },
    };
  },
};
