export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>whirl</title>
<link rel="stylesheet" href="/app.css">
<script src="/app.js" defer></script>
</head>
<body>
<header><h1>whirl</h1><p id="status" role="status">loading…</p></header>
<main>
<section class="figures" id="figures"></section>
<table><thead><tr><th>Proxy</th><th>Circuit</th><th>Failures</th><th>Next test</th><th>Success</th><th>Latency</th><th>In flight</th></tr></thead><tbody id="pool"></tbody></table>
</main>
</body>
</html>
`;

export const appCss = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; }
header { display: flex; align-items: baseline; gap: 1rem; }
h1 { margin: 0; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; }
.figures div { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: .5rem; padding: .5rem 1rem; }
.figures b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
main { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.pill { padding: .1rem .6rem; border-radius: 1rem; color: #fff; background: #1a7f4b; }
.pill.open { background: #b3261e; }
.pill.half_open { background: #9a6700; }
`;

export const appJs = `'use strict';
const get = async (path) => (await fetch('/api/v1/' + path)).json();
const cell = (text) => { const td = document.createElement('td'); td.textContent = text; return td; };
async function refresh() {
  const status = document.getElementById('status');
  try {
    const [pool, circuits, metrics] = await Promise.all([get('proxies'), get('circuit-breakers'), get('metrics/retries')]);
    const byId = new Map(circuits.circuit_breakers.map((each) => [each.proxy_id, each]));
    document.getElementById('pool').replaceChildren(...pool.proxies.map((proxy) => {
      const circuit = byId.get(proxy.id);
      const row = document.createElement('tr');
      const state = document.createElement('td');
      const pill = document.createElement('span');
      pill.className = 'pill ' + circuit.state;
      pill.textContent = circuit.state.replace('_', '-');
      state.append(pill);
      const wait = circuit.next_test_time ? Math.max(0, Math.ceil((Date.parse(circuit.next_test_time) - Date.now()) / 1000)) + ' s' : '–';
      row.append(cell(proxy.id), state, cell(circuit.failure_count + '/' + circuit.failure_threshold), cell(wait),
        cell((100 * proxy.success_rate).toFixed(0) + ' %'), cell(proxy.avg_latency === null ? '–' : (1000 * proxy.avg_latency).toFixed(0) + ' ms'), cell(proxy.in_flight));
      return row;
    }));
    const figures = [['requests', metrics.total_requests], ['retries', metrics.total_retries], ['circuit events', metrics.circuit_breaker_events_count],
      ...Object.entries(metrics.success_by_attempt).map(([attempt, n]) => ['succeeded at attempt ' + attempt, n])];
    document.getElementById('figures').replaceChildren(...figures.map(([name, value]) => {
      const div = document.createElement('div');
      const b = document.createElement('b');
      b.textContent = value;
      div.append(b, name);
      return div;
    }));
    status.textContent = pool.proxies.length === 0 ? 'no proxies: set WHIRL_PROXIES' : 'live';
  } catch {
    status.textContent = 'the server does not answer; trying again';
  }
  setTimeout(refresh, 1000);
}
refresh();
`;
