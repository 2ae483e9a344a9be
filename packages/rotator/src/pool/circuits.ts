import { CircuitBreaker, CircuitBreakerGroup } from '@whirl/circuit-breaker';
import type { CircuitRescheduled, CircuitTransition, WhirlBus } from '@whirl/events';
import type { Selector } from '@whirl/selector';
import { Doubts } from './doubts.ts';
import { circuitOutcome, type Failure } from '../blame/failure.ts';
import { gatewayOutcome } from '../blame/gateway.ts';
import { Exit } from '../proxy/exit.ts';
import { checkCircuit, resolveCircuit, type CircuitOptions } from './circuit-options.ts';
import { Groups } from './groups.ts';
import type { Admission, CircuitSource, Group, Member } from './member.ts';
import { OpenCircuits } from './open-circuits.ts';
import type { Sharing } from './sharing.ts';

/** Milliseconds in which failures are taken to count under a trip rule of the user's own. */
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
  /** A circuit has opened, without a doubt. True: it is not to stay so, because another exit takes its place. */
  readonly onOpened: (member: Member) => boolean;
  /** A circuit was closed for that exit. */
  readonly onRenewed: (member: Member) => void;
}

/** How long the members of an open group are kept from selection: until it closes. */
const foreverMs = 1e11;

/** The circuits of the members: where they come from, how attempts count in them, and what their transitions tell. */
export class Circuits {
  readonly open: OpenCircuits;
  readonly groups: Groups;
  readonly doubts = new Doubts();
  /** Of a proxy without options of its own; undefined: it has no circuit. */
  readonly common: CircuitSource | undefined;
  readonly group: CircuitBreakerGroup;
  readonly #context: CircuitsContext;
  /** The instant of the success that a circuit is being told: it reads no clock of its own then. */
  #toldAt: number | undefined;
  readonly #clock: Pick<CircuitsContext, 'now' | 'random'>;
  /** Transitions in the middle of a swap. */
  #untold: CircuitTransition[] | undefined;

  /** Throws a TypeError or RangeError that names the option. */
  constructor(context: CircuitsContext) {
    const { members, circuitBreaker, bus, now, random } = context;
    this.#context = context;
    this.#clock = { now: () => this.#toldAt ?? now(), random };
    this.groups = new Groups({
      ...{ members, bus, circuits: circuitBreaker, now, random },
      onChange: (group) => this.#groupChanged(group),
    });
    this.open = new OpenCircuits(members, this.groups, now);
    const options = resolveCircuit(circuitBreaker || {}, this.#clock);
    this.group = new CircuitBreakerGroup({
      ...options,
      bus: {
        has: () => true,
        emit: (type, event) => {
          // Its listeners may take their time, and ask for another circuit.
          this.#toldAt = undefined;
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
    const { circuitBreaker } = this.#context;
    const asked = { ...(circuitBreaker || undefined), ...given };
    return { group: this.group, options: resolveCircuit(asked, this.#clock), asked };
  }

  /** The member is in the pool: what is certain of its machine is counted with that of others. */
  joinGroup(member: Member): void {
    const { proxy, circuits } = member;
    this.groups.join(member, circuits === undefined ? undefined : proxy.group);
    if (member.group?.isShut === true) this.#holdBack(member);
  }

  /** Its proxy, or whether it has a circuit, has changed. */
  changeGroup(member: Member): void {
    const { proxy, circuits, group } = member;
    if (group?.name === (circuits === undefined ? undefined : proxy.group)) return;
    this.groups.leave(member);
    if (group?.isShut === true) this.#context.selector.unban(member.id);
    this.joinGroup(member);
  }

  /** Notes that the machine behind the member works, before a long attempt has ended. */
  worked(admission: Admission): void {
    if (admission.groupTicket === 0) return;
    this.groups.tell(admission, 'works');
    admission.groupTicket = 0;
  }

  /**
   * Tells an attempt's circuit how the attempt ended. A neutral outcome only gives its ticket back. An undecided failure
   * is neutral, unless one target alone is asked for, and so is a failure that the group counts.
   */
  settle(admission: Admission, failure: Failure | undefined, durationMs: number, at: number): void {
    const { member, ticket, probe } = admission;
    const ofGroup =
      admission.groupTicket !== 0 && this.groups.tell(admission, gatewayOutcome(failure));
    admission.groupTicket = 0;
    // A test without a verdict is due again at once, though no state has changed.
    if (probe) this.open.rescheduled();
    const { breaker } = member;
    if (breaker === undefined) return;
    const outcome = ofGroup ? 'neutral' : circuitOutcome(failure);
    if (outcome === 'success') {
      // The clock and the chance may be the user's own, and throw.
      try {
        this.#toldAt = at;
        breaker.succeed(ticket, durationMs);
      } finally {
        this.#toldAt = undefined;
      }
    } else if (outcome === 'failure') {
      // A test that fails for certain leaves no doubt.
      if (probe) member.doubtAt = undefined;
      breaker.fail(ticket, durationMs);
    } else if (outcome === 'undecided' && this.doubts.alone(at)) {
      this.doubts.failed(member, ticket, durationMs, at);
    } else breaker.release(ticket);
    if (probe) this.open.rescheduled();
  }

  /** The admission was not used: what it was to test is due at once. */
  release(admission: Admission): void {
    const { member, ticket, probe } = admission;
    member.breaker?.release(ticket);
    this.groups.release(admission);
    if (probe) this.open.rescheduled();
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

  /** The member leaves: the outcomes of its attempts count in no circuit any more. */
  delete(member: Member): void {
    this.doubts.forget(member);
    this.groups.leave(member);
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
    const { bus, sharing, members } = this.#context;
    const event = this.#hear({ ...transition, proxyId: transition.name });
    const member = members.get(event.name);
    // Other processes have sessions of their own.
    if (!(member?.proxy instanceof Exit)) sharing.tell('circuit:transition', event);
    if (this.#untold !== undefined) {
      this.#untold.push(event);
      return;
    }
    if (bus.has('circuit:transition')) bus.emit('circuit:transition', event);
    if (member !== undefined && members.get(event.name) === member) this.#told(member, event);
  }

  #told(member: Member, { to, reason, provisional }: CircuitTransition): void {
    const { onOpened, onRenewed } = this.#context;
    if (reason === 'renewed') onRenewed(member);
    else if (to === 'open' && provisional !== true && member.breaker?.state === 'open') {
      if (onOpened(member)) member.breaker.reset({ reason: 'renewed' });
    }
  }

  /** While a group is open its members are not offered: its probe is given out by itself. */
  #groupChanged(group: Group): void {
    const { selector } = this.#context;
    const { isShut } = group;
    for (const member of group.members()) {
      if (isShut) this.#holdBack(member);
      else selector.unban(member.id);
    }
    this.open.rescheduled();
    this.#context.onChange();
  }

  #holdBack({ id }: Member): void {
    const { selector, now } = this.#context;
    selector.ban(id, now() + foreverMs);
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
