import { endpoint, lines, type Software } from './software.ts';

const modules = [
  'mpm_event',
  'authn_core',
  'authn_file',
  'auth_basic',
  'authz_core',
  'authz_host',
  'authz_user',
  'proxy',
  'proxy_http',
  'proxy_connect',
  'ssl',
];

/** A forward proxy by mod_proxy and mod_proxy_connect. */
export const apache: Software = {
  name: 'apache2',
  debianPackage: 'apache2',
  executable: 'apache2',
  launch({ folder, host, port, credentials, pemFile, allowedPorts, forbiddenPorts }) {
    return {
      args: ['-DFOREGROUND', '-f', `${folder}/apache.conf`],
      files: {
        'apache.conf': lines(
          `ServerRoot ${folder}`,
          `Define APACHE_RUN_DIR ${folder}`,
          'ServerName apache.test',
          `PidFile ${folder}/apache.pid`,
          `ErrorLog ${folder}/error.log`,
          `DefaultRuntimeDir ${folder}`,
          ...modules.map(
            (each) => `LoadModule ${each}_module /usr/lib/apache2/modules/mod_${each}.so`,
          ),
          'StartServers 1',
          'ServerLimit 4',
          'ThreadsPerChild 100',
          'MaxRequestWorkers 400',
          `Listen ${endpoint(host, port)}`,
          ...(pemFile === undefined
            ? []
            : ['SSLEngine On', `SSLCertificateFile ${pemFile}`, 'SSLSessionCache none']),
          'ProxyRequests On',
          'ProxyVia On',
          `AllowCONNECT ${allowedPorts.join(' ')}`,
          '<Proxy "*">',
          ...(credentials === undefined
            ? ['Require all granted']
            : [
                'AuthType Basic',
                'AuthName apache',
                `AuthUserFile ${folder}/users`,
                'Require valid-user',
              ]),
          '</Proxy>',
          ...forbiddenPorts.flatMap((each) => [
            `<ProxyMatch "^http://[^/]+:${each}/">`,
            'Require all denied',
            '</ProxyMatch>',
          ]),
        ),
        users: credentials === undefined ? '' : `${credentials.username}:${credentials.hash}\n`,
      },
    };
  },
};
