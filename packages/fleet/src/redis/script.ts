import { createHash } from 'node:crypto';
import { evidenceHalfLifeMs, holdGraceMs, leastEvidence, maxEntries, passedMs } from '../store.ts';

/**
 * One sync, in one script: what `memoryStore()` does, on the server's clock. Keys: log, holds, marks, leases,
 * live, epoch, versions, and the parts of the evidence that are written or read. Needs Redis 6.2, or Valkey.
 */
export const script = `
local at = 0
local function take() at = at + 1 return ARGV[at] end
local function number() return tonumber(take()) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local process, witness, version = take(), take(), take()
local known, fresh, position, batch = take(), take(), take(), take()
local memberTtl, keyTtl, logTtl = number(), number(), number()
local live, leaving = number(), take() == '1'
local log, holds, marks, leases, members, epochs, versions = unpack(KEYS, 1, 7)
local me = process .. '\\n' .. witness

local epoch = redis.call('GET', epochs)
if not epoch then
  epoch = fresh
  redis.call('SET', epochs, epoch)
end

local function tell(kind, what)
  redis.call('XADD', log, 'MINID', '~', now - logTtl, '*', me, kind .. what)
end
local function hold(field, ends)
  local score = redis.call('ZSCORE', holds, field)
  if not score or tonumber(score) < ends then redis.call('ZADD', holds, ends, field) end
  local mark = redis.call('HGET', marks, field) or ''
  local p, w, q, v = string.match(mark, '^([^\\n]*)\\n([^\\n]*)\\n?([^\\n]*)\\n?([^\\n]*)$')
  if not p then return redis.call('HSET', marks, field, me) end
  if p == process or q == process then return end
  if q == '' or (w == v and w ~= witness) then
    redis.call('HSET', marks, field, p .. '\\n' .. w .. '\\n' .. me)
  end
end
local function release(field)
  redis.call('ZREM', holds, field)
  redis.call('HDEL', marks, field)
end
local function leaseOf(field)
  local row = redis.call('HGET', leases, field) or ''
  local ends, term, holder = string.match(row, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)$')
  return tonumber(ends), term, holder
end
local function lease(field, ends, term, holder)
  redis.call('HSET', leases, field, string.format('%.0f', ends) .. '\\n' .. term .. '\\n' .. holder)
  redis.call('ZADD', holds, ends, '~' .. field)
end

redis.call('ZADD', members, now, me)
redis.call('ZREMRANGEBYSCORE', members, '-inf', '(' .. (now - memberTtl))
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
  local free = math.max(ends or 0, tonumber(redis.call('ZSCORE', holds, field) or 0))
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
  local s, f, ms, seen = string.match(row, '^(%S+) (%S+) (%S+) %S+ (%S+)$')
  if not tonumber(seen) then return 0, 0, 0 end
  local kept = 0.5 ^ ((now - tonumber(seen)) / ${evidenceHalfLifeMs})
  return (tonumber(s) or 0) * kept, (tonumber(f) or 0) * kept, tonumber(ms) or 0
end
for _ = 1, number() do
  local key, id, s, f, ms, run = KEYS[7 + number()], take(), number(), number(), number(), take()
  local before, failed, usual = rowOf(redis.call('HGET', key, id) or '')
  if s + before > 0 then ms = (usual * before + ms * s) / (s + before) end
  local row = string.format('%.3g %.3g %.0f %s %.0f', s + before, f + failed, ms, run, now)
  redis.call('HSET', key, id, row)
end
local evidence, sweeps = {}, time[2] % 8 == 0
for _ = 1, number() do
  local key = KEYS[7 + number()]
  local rows = redis.call('HGETALL', key)
  evidence[#evidence + 1] = rows
  for i = 1, sweeps and #rows or 0, 2 do
    local s, f = rowOf(rows[i + 1])
    if s + f < ${leastEvidence} then redis.call('HDEL', key, rows[i]) end
  end
end
if leaving then
  redis.call('ZREM', members, me)
  local rows = redis.call('HGETALL', leases)
  for i = 1, #rows, 2 do
    local _, term, holder = leaseOf(rows[i])
    if holder == process then lease(rows[i], now, term, '') end
  end
end
for _, field in ipairs(redis.call('ZRANGEBYSCORE', holds, '-inf', now - ${holdGraceMs}, 'LIMIT', 0, 50)) do
  release(field)
  if string.sub(field, 1, 1) == '~' then redis.call('HDEL', leases, string.sub(field, 2)) end
end

local count = redis.call('ZCARD', members)
local peers = count ~= live and redis.call('ZRANGE', members, 0, -1) or {}
local others = {}
if live < 0 then
  redis.call('ZADD', versions, now, version)
  redis.call('ZREMRANGEBYSCORE', versions, '-inf', now - keyTtl)
  for _, each in ipairs(redis.call('ZRANGE', versions, 0, -1)) do
    if each ~= version then others[#others + 1] = each end
  end
end
local held = {}
if epoch ~= known then
  local rows = redis.call('ZRANGE', holds, 0, 9999, 'WITHSCORES')
  for i = 1, #rows, 2 do
    if string.sub(rows[i], 1, 1) ~= '~' then
      held[#held + 1] = rows[i]
      held[#held + 1] = string.format('%.0f', tonumber(rows[i + 1]) - now)
      held[#held + 1] = redis.call('HGET', marks, rows[i]) or ''
    end
  end
end
local same = epoch == known and #redis.call('XREVRANGE', log, '+', position, 'COUNT', 1)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, keyTtl) end
return { now, epoch, same or 0, count, peers, grants, denials, held, evidence, others }
`;

/** The log from a position on, for clients without XRANGE. */
export const readLog = `return redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ${maxEntries})`;

export const sha = createHash('sha1').update(script).digest('hex');
