import { endpoint, lines, type Software } from './software.ts';

/** A forward proxy for the absolute form; credentials are compared as they are written. */
export const nginx: Software = {
  name: 'nginx',
  debianPackage: 'nginx',
  executable: 'nginx',
  launch({ folder, host, port, credentials, pemFile, forbiddenPorts }) {
    const basic =
      credentials &&
      Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
    return {
      args: ['-p', folder, '-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`],
      files: {
        'nginx.conf': lines(
          'daemon off;',
          'master_process off;',
          `pid ${folder}/nginx.pid;`,
          'events { worker_connections 1024; }',
          'http {',
          '  access_log off;',
          ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
            (each) => `  ${each}_temp_path ${folder}/${each};`,
          ),
          '  resolver 127.0.0.1;',
          '  client_max_body_size 0;',
          '  proxy_buffering off;',
          '  proxy_request_buffering off;',
          '  proxy_http_version 1.1;',
          `  map $http_host $forbidden { default ""; ~:(${forbiddenPorts.join('|')})$ yes; }`,
          '  server {',
          `    listen ${endpoint(host, port)}${pemFile === undefined ? '' : ' ssl'};`,
          ...(pemFile === undefined
            ? []
            : [`    ssl_certificate ${pemFile};`, `    ssl_certificate_key ${pemFile};`]),
          ...(basic === undefined
            ? []
            : [
                '    add_header Proxy-Authenticate $challenge always;',
                '    set $challenge "";',
                `    if ($http_proxy_authorization != "Basic ${basic}") {`,
                `      set $challenge 'Basic realm="nginx"';`,
                '      return 407;',
                '    }',
              ]),
          '    if ($forbidden) { return 403; }',
          '    location / {',
          '      proxy_pass http://$http_host$request_uri;',
          '      proxy_set_header Host $http_host;',
          '      proxy_set_header Connection "";',
          '      proxy_set_header Proxy-Authorization "";',
          '    }',
          '  }',
          '}',
        ),
      },
    };
  },
};
