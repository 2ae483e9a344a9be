import { CircuitBreaker, CircuitBreakerGroup } from '@whirl/circuit-breaker';
import type { CircuitRescheduled, CircuitTransition, WhirlBus } from '@whirl/events';
import type { Selector } from '@whirl/selector';
import { Doubts } from './doubts.ts';
import type { CircuitOutcome } from '../blame/failure.ts';
import { checkCircuit, resolveCircuit, type CircuitOptions } from './circuit-options.ts';
import type { Admission, CircuitSource, Member } from './member.ts';
import { OpenCircuits } from './open-circuits.ts';
import type { Sharing } from './sharing.ts';

/** In which failures are taken to count under a rule of the user's own. */
const defaultWindowMs = 60_000;

interface CircuitsContext {
  readonly members: ReadonlyMap<string, Member>;
  /** Options of a proxy that has none of its own; false: it has no circuit. */
  readonly circuitBreaker: CircuitOptions | false;
  readonly bus: WhirlBus;
  readonly selector: Selector;
  readonly sharing: Sharing;
  readonly now: () => number;
  readonly random: () => number;
  /** A circuit has changed: a request that waits may be served. */
  readonly onChange: () => void;
}

/** The circuits of the members: where they come from, how attempts count in them, and what their transitions tell. */
export class Circuits {
  readonly open: OpenCircuits;
  readonly doubts = new Doubts();
  /** Of a proxy without options of its own; undefined: it has no circuit. */
  readonly common: CircuitSource | undefined;
  readonly group: CircuitBreakerGroup;
  readonly #context: CircuitsContext;
  /** Transitions in the middle of a swap. */
  #untold: CircuitTransition[] | undefined;

  /** Throws a TypeError or RangeError that names the option. */
  constructor(context: CircuitsContext) {
    const { members, circuitBreaker, now, random } = context;
    this.#context = context;
    this.open = new OpenCircuits(members, now);
    const options = resolveCircuit(circuitBreaker || {}, { now, random });
    this.group = new CircuitBreakerGroup({
      ...options,
      bus: {
        has: () => true,
        emit: (type, event) => {
          if (type === 'circuit:rescheduled') this.#hearDeadline(event as CircuitRescheduled);
          else this.#tell(event as CircuitTransition);
        },
      },
    });
    if (circuitBreaker !== false) {
      const untouched = new CircuitBreaker(options);
      this.common = { group: this.group, options, asked: circuitBreaker, untouched };
    }
  }

  /** For a proxy with options of its own; undefined: it has no circuit. Throws on bad options. */
  sourceFor(given: CircuitOptions | false): CircuitSource | undefined {
    checkCircuit(given);
    if (given === false) return undefined;
    const { circuitBreaker, now, random } = this.#context;
    const asked = { ...(circuitBreaker || undefined), ...given };
    return { group: this.group, options: resolveCircuit(asked, { now, random }), asked };
  }

  /**
   * Tells an attempt's circuit how the attempt ended. A neutral outcome only gives its ticket back. An
   * undecided failure is neutral, unless one target alone is asked for.
   */
  settle(admission: Admission, outcome: CircuitOutcome, durationMs: number, at: number): void {
    const { member, ticket, probe } = admission;
    const { breaker } = member;
    if (breaker === undefined) return;
    if (outcome === 'success') breaker.succeed(ticket, durationMs);
    else if (outcome === 'failure') {
      // A test that fails for certain leaves no doubt.
      if (probe) member.doubtAt = undefined;
      breaker.fail(ticket, durationMs);
    } else if (outcome === 'undecided' && this.doubts.alone(at)) {
      this.doubts.failed(member, ticket, durationMs, at);
    } else breaker.release(ticket);
  }

  /** Another circuit for a member that stays. One that was open stays so for as long as it would have been. */
  renew(member: Member, circuits: CircuitSource | undefined): void {
    const { circuit: before, provisional } = member;
    const state = before?.state ?? 'closed';
    const openMs = Math.max((before?.nextTestAt ?? 0) - this.#context.now(), 1);
    if (circuits === undefined && state !== 'closed') before?.reset();
    this.group.delete(member.id);
    this.open.delete(member.id);
    member.circuits = circuits;
    if (state === 'forced_open') member.breaker?.forceOpen();
    else if (state === 'open' || state === 'half_open') {
      member.breaker?.trip({ openMs });
      member.provisional = provisional;
    }
  }

  /** The member leaves: what its attempts come to is told to no circuit any more. */
  delete(member: Member): void {
    this.doubts.forget(member);
    member.circuits = undefined;
    this.group.delete(member.id);
    this.open.delete(member.id);
  }

  /**
   * Tells the transitions of a swap of members after it, and only those to closed: a state that goes over to a new
   * circuit is no transition.
   */
  during(swap: () => void): void {
    const untold: CircuitTransition[] = (this.#untold = []);
    try {
      swap();
    } finally {
      this.#untold = undefined;
    }
    const { bus } = this.#context;
    for (const event of untold) if (event.to === 'closed') bus.emit('circuit:transition', event);
  }

  #tell(transition: CircuitTransition): void {
    const { bus, sharing } = this.#context;
    const event = this.#hear({ ...transition, proxyId: transition.name });
    sharing.tell('circuit:transition', event);
    if (this.#untold !== undefined) this.#untold.push(event);
    else if (bus.has('circuit:transition')) bus.emit('circuit:transition', event);
  }

  /** Returns the transition as it is told: with what the circuit itself does not know. */
  #hear(event: CircuitTransition): CircuitTransition {
    const { name, to, at } = event;
    const { members, selector } = this.#context;
    const member = members.get(name);
    if (member === undefined) return event;
    const { doubtAt } = member;
    if (to === 'closed' || to === 'disabled' || to === 'forced_open') this.doubts.forget(member);
    else if (to === 'open') {
      const windowMs = member.limits.windowMs || defaultWindowMs;
      member.provisional = doubtAt !== undefined && at - doubtAt <= windowMs;
    }
    selector.circuitChanged(event);
    this.open.set(name, to);
    this.#context.onChange();
    return to === 'open' && member.provisional ? { ...event, provisional: true } : event;
  }

  /** The deadline of an open circuit has moved. */
  #hearDeadline(event: CircuitRescheduled): void {
    const { name, nextTestAt } = event;
    const { bus, selector } = this.#context;
    selector.circuitChanged({ name, to: 'open', nextTestAt });
    this.open.rescheduled();
    this.#context.onChange();
    if (bus.has('circuit:rescheduled')) {
      bus.emit('circuit:rescheduled', { ...event, proxyId: name });
    }
  }
}
