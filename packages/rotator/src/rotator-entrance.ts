import type { Dispatcher } from 'undici';
import { ClosedError } from './errors.ts';
import type { TunnelPlan } from './request/connect-options.ts';
import type { Engine } from './request/engine.ts';
import { Operation } from './request/operation.ts';
import {
  callKey,
  contextOf,
  type RequestContext,
  type RoutingOptions,
  type VerbCall,
} from './request/request-options.ts';
import { Forwarding, type ForwardListener } from './request/forwarded-tunnel.ts';
import { TunnelOperation } from './request/tunnel-operation.ts';
import { TunnelStream, type Tunnel } from './request/tunnel.ts';
import { RotatorDispatcher, type DispatcherOwner } from './rotator-dispatcher.ts';
import type { ViewContext } from './rotator-view.ts';

/** How a dispatcher ends. That of a view leaves the pool open. */
type Ending = Pick<DispatcherOwner, 'close' | 'destroy'>;
const leavesOpen: Ending = { close: async () => {}, destroy: async () => {} };

/** Where requests and tunnels begin: it understands what they ask of the pool, and refuses them once it is closed. */
export class RotatorEntrance implements ViewContext {
  /** Set by the rotator: nothing begins any more. */
  closed = false;
  /** Set by the rotator: nothing runs any more. */
  destroyed = false;
  readonly #engine: Engine;
  readonly #limits: Pick<DispatcherOwner, 'webSocket' | 'eventSource'>;

  constructor(engine: Engine, limits: Pick<DispatcherOwner, 'webSocket' | 'eventSource'>) {
    this.#engine = engine;
    this.#limits = limits;
  }

  understand(asked: RoutingOptions, base?: RequestContext): RequestContext {
    return contextOf(asked, base, this.#engine.policies);
  }

  hasProxy(id: string): boolean {
    return this.#engine.pool.members.has(id);
  }

  isGateway(id: string): boolean {
    return this.#engine.pool.exits.get(id) !== undefined;
  }

  /** A dispatcher whose requests have that context, unless they bring their own. */
  dispatcherFor(context: RequestContext, ending = leavesOpen): RotatorDispatcher {
    const entrance = this;
    return new RotatorDispatcher((opts, handler) => this.#dispatch(opts, handler, context), {
      ...this.#limits,
      ...ending,
      get closed() {
        return entrance.closed;
      },
      get destroyed() {
        return entrance.destroyed;
      },
    });
  }

  connect(
    plan: TunnelPlan,
    context: RequestContext,
    onOpen?: (tunnel: TunnelStream) => void,
  ): Promise<Tunnel> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw new ClosedError();
      let tunnel: TunnelStream;
      new TunnelOperation(this.#engine, plan, context, {
        handleFor: (owner) => (tunnel = new TunnelStream(owner)),
        onOpen: () => {
          onOpen?.(tunnel);
          resolve(tunnel);
        },
        onError: reject,
      }).start();
    });
  }

  forward(plan: TunnelPlan, context: RequestContext, listener: ForwardListener): Forwarding {
    if (this.closed) throw new ClosedError();
    const forwarding = new Forwarding(listener);
    forwarding.begin(new TunnelOperation(this.#engine, plan, context, forwarding));
    return forwarding;
  }

  #dispatch(
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    context: RequestContext,
  ): void {
    if (this.closed) throw new ClosedError();
    const call = (opts as { readonly [callKey]?: VerbCall })[callKey];
    const operation = new Operation(this.#engine, opts, handler, call?.context ?? context);
    if (call !== undefined) call.progress = operation;
    operation.start();
  }
}
