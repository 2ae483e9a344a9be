import { lines, type Software } from './software.ts';

/** It closes its connection after every response in absolute form. */
export const tinyproxy: Software = {
  name: 'tinyproxy',
  debianPackage: 'tinyproxy',
  executable: 'tinyproxy',
  launch({ folder, host, port, credentials, allowedPorts }) {
    return {
      args: ['-d', '-c', `${folder}/tinyproxy.conf`],
      files: {
        'tinyproxy.conf': lines(
          `Port ${port}`,
          `Listen ${host}`,
          'Timeout 600',
          'MaxClients 200',
          'LogLevel Warning',
          `LogFile "${folder}/tinyproxy.log"`,
          ...allowedPorts.map((each) => `ConnectPort ${each}`),
          credentials && `BasicAuth ${credentials.username} ${credentials.password}`,
        ),
      },
    };
  },
};
