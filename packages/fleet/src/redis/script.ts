import { createHash } from 'node:crypto';
import { evidenceHalfLifeMs, holdGraceMs, leastEvidence, passedMs } from '../store.ts';

/**
 * One sync, in one script: what `memoryStore()` does, on the server's clock. Keys: log, holds, marks, leases,
 * live, epoch, versions, and the parts of the evidence that are written or read. Needs Redis 6.2, or Valkey.
 *
 * Each call of a command costs it a microsecond or two, 200 times a second. So the times to live of all keys are renewed
 * when a tenth of the epoch's has passed, and before that of keys that are written seldom or may be new; and what has
 * faded or ended is looked for in one sync of eight, and in those that ask for everything. The log's ids begin with the time: only a position that lies in the
 * future may be of a log that was lost.
 *
 * A clock that was set back shows in a process that asked in the future. All that ends by that clock is dropped under a new
 * epoch, so that the processes write it again: a lease would keep its circuit untested for as long. Looking for one writes
 * nothing: after a first write Redis lets a script go on above `maxmemory`.
 */
export const script = `
local at = 0
local function take() at = at + 1 return ARGV[at] end
local function number() return tonumber(take()) end
local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local process, witness, version = take(), take(), take()
local known, fresh, position, batch = take(), take(), take(), take()
local memberTtl, keyTtl, logTtl = number(), number(), number()
local live, leaving = number(), take() == '1'
local log, holds, marks, leases, members, epochs, versions = unpack(KEYS, 1, 7)
local me = process .. '\\n' .. witness

local epoch = call('GET', epochs)
local sweeps = live < 0 or time[2] % 8 == 0
local setBack = sweeps and #call('ZRANGEBYSCORE', members, now + 1000, '+inf', 'LIMIT', 0, 1) > 0
if setBack or not epoch then
  epoch = fresh
  call('SET', epochs, epoch)
end
for i = 1, setBack and 5 or 0 do call('PEXPIRE', KEYS[i], 0) end
local renews = call('PTTL', epochs) < 0.9 * keyTtl

local function tell(kind, what)
  call('XADD', log, 'MINID', '~', now - logTtl, '*', me, kind .. what)
  call('PEXPIRE', log, keyTtl)
end
local function hold(field, ends)
  renews = true
  local score = call('ZSCORE', holds, field)
  if not score or tonumber(score) < ends then call('ZADD', holds, ends, field) end
  local mark = call('HGET', marks, field) or ''
  local p, w, q, v = string.match(mark, '^([^\\n]*)\\n([^\\n]*)\\n?([^\\n]*)\\n?([^\\n]*)$')
  if not p then return call('HSET', marks, field, me) end
  if p == process or q == process then return end
  if q == '' or (w == v and w ~= witness) then
    call('HSET', marks, field, p .. '\\n' .. w .. '\\n' .. me)
  end
end
local function release(field)
  call('ZREM', holds, field)
  call('HDEL', marks, field)
end
local function leaseOf(field)
  local row = call('HGET', leases, field) or ''
  local ends, term, holder = string.match(row, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)$')
  return tonumber(ends), term, holder
end
local function lease(field, ends, term, holder)
  renews = true
  call('HSET', leases, field, string.format('%.0f', ends) .. '\\n' .. term .. '\\n' .. holder)
  call('ZADD', holds, ends, '~' .. field)
end

if call('ZADD', members, 'GT', now, me) == 1 then renews = true end
call('ZREMRANGEBYSCORE', members, '-inf', '(' .. (now - memberTtl))
if batch ~= '' then tell('b', batch) end
for _ = 1, number() do
  local field, ms = take(), number()
  hold(field, now + ms)
end
for _ = 1, number() do release(take()) end
for _ = 1, number() do
  local field, term, result, ms = take(), take(), take(), number()
  local ends, current, holder = leaseOf(field)
  if ends and holder == process and current == term and ends > now then
    if result == 'unused' then lease(field, now, term, '')
    elseif result == 'failed' then
      lease(field, now + ms, term, '')
      hold(field, now + ms)
    else
      lease(field, now + ${passedMs}, term, '')
      release(field)
      tell('c', field)
    end
  end
end
local grants, denials = {}, {}
for _ = 1, number() do
  local field, ms = take(), number()
  local ends, before = leaseOf(field)
  local free = math.max(ends or 0, tonumber(call('ZSCORE', holds, field) or 0))
  if free > now then
    denials[#denials + 1] = field
    denials[#denials + 1] = free - now
  else
    local term = math.max((before or 0) + 1, time[1] * 1000000 + time[2])
    term = string.format('%.0f', term)
    lease(field, now + ms, term, process)
    grants[#grants + 1] = field
    grants[#grants + 1] = term
  end
end
local function rowOf(row)
  local s, f, ms, seen = string.match(row or '', '^(%S+) (%S+) (%S+) %S+ (%S+)$')
  if not tonumber(seen) then return 0, 0, 0 end
  local kept = 0.5 ^ (math.max(0, now - tonumber(seen)) / ${evidenceHalfLifeMs})
  return (tonumber(s) or 0) * kept, (tonumber(f) or 0) * kept, tonumber(ms) or 0
end
for _ = 1, number() do
  local key, count = KEYS[7 + number()], number()
  local known = call('HMGET', key, unpack(ARGV, at + 1, at + count))
  local rows, stamp = {}, string.format('%.0f', now)
  for i = 1, count do
    local s, f, ms, run = string.match(ARGV[at + count + i], '^(%S+) (%S+) (%S+) (%S+)$')
    local before, failed, usual = rowOf(known[i])
    if s + before > 0 then ms = (usual * before + ms * s) / (s + before) end
    rows[2 * i - 1] = ARGV[at + i]
    rows[2 * i] = string.format('%.6g %.6g %.6g %s %s', s + before, f + failed, ms, run, stamp)
  end
  at = at + 2 * count
  call('HSET', key, unpack(rows))
end
for _ = 1, number() do
  local key = KEYS[7 + number()]
  local rows = sweeps and call('HGETALL', key) or {}
  for i = 1, #rows, 2 do
    local s, f = rowOf(rows[i + 1])
    if s + f < ${leastEvidence} then call('HDEL', key, rows[i]) end
  end
end
if leaving then
  call('ZREM', members, me)
  local rows = call('HGETALL', leases)
  for i = 1, #rows, 2 do
    local _, term, holder = leaseOf(rows[i])
    if holder == process then lease(rows[i], now, term, '') end
  end
end
local ended = sweeps and call('ZRANGEBYSCORE', holds, '-inf', now - ${holdGraceMs}, 'LIMIT', 0, 200) or {}
for _, field in ipairs(ended) do
  release(field)
  if string.sub(field, 1, 1) == '~' then call('HDEL', leases, string.sub(field, 2)) end
end

local count = call('ZCARD', members)
local peers = count ~= live and call('ZRANGE', members, 0, -1) or {}
local others = {}
if live < 0 then
  renews = call('ZADD', versions, now, version) == 1 or renews
  call('ZREMRANGEBYSCORE', versions, '-inf', now - keyTtl)
  for _, each in ipairs(call('ZRANGE', versions, 0, -1)) do
    if each ~= version then others[#others + 1] = each end
  end
end
local held = {}
if epoch ~= known then
  local rows = call('ZRANGE', holds, 0, 9999, 'WITHSCORES')
  for i = 1, #rows, 2 do
    if string.sub(rows[i], 1, 1) ~= '~' then
      held[#held + 1] = rows[i]
      held[#held + 1] = string.format('%.0f', tonumber(rows[i + 1]) - now)
      held[#held + 1] = call('HGET', marks, rows[i]) or ''
    end
  end
end
local reached = tonumber(string.match(position, '^%d+')) or 0
local same = epoch == known and (reached <= now or #call('XRANGE', log, position, '+', 'COUNT', 1) > 0)
for i = renews and 1 or 8, #KEYS do call('PEXPIRE', KEYS[i], keyTtl) end
return { now, epoch, same and 1 or 0, count, peers, grants, denials, held, others }
`;

/** Reads a key, for clients that have `eval` alone. */
export const readScript = `return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))`;

export const sha = createHash('sha1').update(script).digest('hex');
