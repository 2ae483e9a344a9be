import { AddDialog, AddProxies } from './components/add-proxies.tsx';
import { AttemptsCard } from './components/attempts-card.tsx';
import { Banners } from './components/banners.tsx';
import { CircuitHistory } from './components/circuit-history.tsx';
import { FleetCard } from './components/fleet-card.tsx';
import { GatewayCard } from './components/gateway-card.tsx';
import { Header } from './components/header.tsx';
import { LiveFeed } from './components/live-feed.tsx';
import { PolicyDialog } from './components/policy-dialog.tsx';
import { PoolCard } from './components/pool-card.tsx';
import { ProxyDialog } from './components/proxy-dialog.tsx';
import { SendDialog } from './components/send-dialog.tsx';
import { TargetsCard } from './components/targets-card.tsx';
import { Tiles } from './components/tiles.tsx';
import { TokenForm } from './components/token-form.tsx';
import { TrafficCard } from './components/traffic-card.tsx';
import { dialog, selectedProxy } from './dialogs.ts';
import { answered, connection, rows, serverError } from './store.ts';

export function App() {
  if (connection.value === 'unauthorized') {
    return (
      <>
        <Header />
        <TokenForm />
      </>
    );
  }
  const selected = selectedProxy.value;
  return (
    <>
      <Header />
      <Content />
      {dialog.value === 'policy' && <PolicyDialog />}
      {dialog.value === 'add' && <AddDialog />}
      {dialog.value === 'send' && <SendDialog />}
      {selected !== undefined && <ProxyDialog key={selected} id={selected} />}
    </>
  );
}

function Content() {
  if (rows.value === undefined && answered.value === false) return <NoServer />;
  const empty = rows.value?.length === 0;
  return (
    <main>
      <Banners />
      {empty && <NoProxies />}
      <Tiles />
      <div class={empty ? 'grid empty' : 'grid'}>
        <TrafficCard />
        <AttemptsCard />
        {!empty && (
          <div class="column">
            <PoolCard />
            <TargetsCard />
            <GatewayCard />
            <FleetCard />
            <CircuitHistory />
          </div>
        )}
        <LiveFeed />
      </div>
    </main>
  );
}

function NoServer() {
  return (
    <main class="alone">
      <section class="card" role="status" data-banner="no-server">
        <h2>The server does not answer</h2>
        <p class="muted">
          {serverError.value === ''
            ? 'Nothing is listening at this address now.'
            : `It reports a fault: ${serverError.value}.`}{' '}
          This page tries again every few seconds and goes on as soon as it is back.
        </p>
      </section>
    </main>
  );
}

function NoProxies() {
  return (
    <section class="card no-proxies" aria-labelledby="no-proxies-title" data-banner="no-proxies">
      <h2 id="no-proxies-title">The pool is empty</h2>
      <p class="muted">
        Requests are refused until it has a proxy. Add them here for as long as the server runs, or
        start it with <code>WHIRL_PROXIES</code> or <code>WHIRL_PROXIES_FILE</code> to keep them.
      </p>
      <AddProxies />
    </section>
  );
}
