import { endpoint, lines, type Software } from './software.ts';

/** Without a cache, so that every request reaches its target. */
export const squid: Software = {
  name: 'squid',
  debianPackage: 'squid',
  executable: 'squid',
  launch({ folder, host, port, credentials, forbiddenPorts }) {
    return {
      args: ['-N', '-f', `${folder}/squid.conf`],
      files: {
        'squid.conf': lines(
          `http_port ${endpoint(host, port)}`,
          'cache deny all',
          'pid_filename none',
          `cache_log ${folder}/cache.log`,
          'access_log none',
          'netdb_filename none',
          'pinger_enable off',
          `coredump_dir ${folder}`,
          'visible_hostname squid.test',
          // Only the name server on loopback is asked; see the private namespaces of test-proxies.mjs.
          'hosts_file none',
          'dns_nameservers 127.0.0.1',
          'shutdown_lifetime 0 seconds',
          `acl forbidden port ${forbiddenPorts.join(' ')}`,
          'http_access deny forbidden',
          ...(credentials === undefined
            ? ['http_access allow all']
            : [
                `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/users`,
                'auth_param basic children 2',
                'auth_param basic realm squid',
                'acl known proxy_auth REQUIRED',
                'http_access allow known',
                'http_access deny all',
              ]),
        ),
        users: credentials === undefined ? '' : `${credentials.username}:${credentials.hash}\n`,
      },
    };
  },
};
