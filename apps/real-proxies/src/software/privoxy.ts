import { endpoint, lines, type Software } from './software.ts';

export const privoxy: Software = {
  name: 'privoxy',
  debianPackage: 'privoxy',
  executable: 'privoxy',
  launch({ folder, host, port, allowedPorts, forbiddenPorts }) {
    return {
      args: ['--no-daemon', `${folder}/config`],
      files: {
        config: lines(
          `confdir ${folder}`,
          `logdir ${folder}`,
          'logfile privoxy.log',
          'templdir /etc/privoxy/templates',
          `listen-address ${endpoint(host, port)}`,
          'actionsfile ports.action',
          'keep-alive-timeout 5',
          'tolerate-pipelining 1',
          'max-client-connections 256',
        ),
        'ports.action': lines(
          `{+limit-connect{${allowedPorts.join(',')}}}`,
          '/',
          '{+block{This port is forbidden.}}',
          ...forbiddenPorts.map((each) => `:${each}/`),
        ),
      },
    };
  },
};
