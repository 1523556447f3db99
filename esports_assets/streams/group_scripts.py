"""The Lua scripts of consumer groups.

Belongs here: each script with its keys and arguments. What was delivered too often, or was trimmed before it was handled, is
buried in the same call.
Does not belong here: when they are called (``groups.py``).
"""

from esports_assets.streams.scripts import lua

GUARD = lua(
    *("ids", "state"),
    body="""
local known = state(KEYS[1])
local groups = known and redis.call('XINFO', 'GROUPS', KEYS[1]) or {}
for i = 1, #groups do
  if fact(groups[i], 'name') == ARGV[1] then
    local at = fact(groups[i], 'last-delivered-id')
    if not later(known.gone, at) then return {'ok', at} end
    redis.call('SET', KEYS[2], at)
    redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], '18446744073709551615-18446744073709551615')
    return {'gap', at, known.gone, known.first or ''}
  end
end
return redis.error_reply('NOGROUP ' .. KEYS[1] .. ' has no group ' .. ARGV[1])
""",
)
UNGUARD = """
local at = redis.call('GET', KEYS[2])
if at then
  redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], at)
  redis.call('DEL', KEYS[2])
end
return 1
"""
"""What stands before and after XREADGROUP in one transaction: at a gap, the group is set to the end of all ids in between, so
that nothing is given to it. A script that reads itself would copy every entry twice more.
"""

_SORT = """
local function sorted(raw, lost)
  -- of what was delivered again: entries with their counts; those beyond the limit or without content are buried
  local counts, kept, buried = {}, {}, {}
  if #raw > 0 then
    local told = redis.call('XPENDING', KEYS[1], ARGV[1], raw[1][1], raw[#raw][1], 1000000, ARGV[2])
    for i = 1, #told do counts[told[i][1]] = told[i][4] end
  end
  local function out(id, data, reason, deliveries)
    if redis.call('XACK', KEYS[1], ARGV[1], id) == 1 or deliveries == 0 then
      bury(KEYS[2], KEYS[1], id, data, reason, ARGV[1], deliveries, now)
      buried[#buried + 1] = id
    end
  end
  for i = 1, #raw do
    local id, fields = raw[i][1], raw[i][2]
    local deliveries = counts[id] or 1
    if not fields or #fields == 0 then
      out(id, '', ARGV[6], deliveries)
    elseif deliveries > limit then
      local data = ''
      for k = 1, #fields, 2 do if fields[k] == 'data' then data = fields[k + 1] end end
      out(id, data, 'delivered ' .. limit .. ' times and never finished', limit)
    else
      kept[#kept + 1] = {id, fields, deliveries}
    end
  end
  for i = 1, #lost do out(lost[i], '', ARGV[6], 0) end
  return {kept, buried}
end
"""

_PENDING = lua(
    *("check", "now", "bury"),
    body=f"""
local wrong = check(KEYS[2], 'stream')
if wrong then return wrong end
local now, count, limit = now_ms(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
{_SORT}
local after = ARGV[7]
local first = redis.call('XPENDING', KEYS[1], ARGV[1], '(' .. after, '+', 1, ARGV[2])
if #first == 0 then return {{{{}}, {{}}}} end
if first[1][4] >= tonumber(ARGV[8]) then count = 1 end
local got = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', count, 'STREAMS', KEYS[1], after)
return sorted(got and got[1][2] or {{}}, {{}})
""",
)

_RECLAIM = lua(
    *("check", "now", "bury"),
    body=f"""
local wrong = check(KEYS[2], 'stream')
if wrong then return wrong end
local now, count, limit = now_ms(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
{_SORT}
local first = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[7], '-', '+', 1)
if #first == 0 then return {{{{}}, {{}}}} end
if first[1][4] >= tonumber(ARGV[8]) then count = 1 end
local got = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[7], first[1][1], 'COUNT', count)
return sorted(got[2], got[3])
""",
)

_BURY = lua(
    *("check", "now", "bury", "fence"),
    body="""
local wrong = check(KEYS[2], 'stream')
if wrong then return wrong end
if KEYS[3] and not holds(KEYS[3], ARGV[3], ARGV[4]) then return -1 end
local now, done = now_ms(ARGV[2]), 0
for i = 5, #ARGV, 4 do
  if redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) == 1 then
    bury(KEYS[2], KEYS[1], ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[1], ARGV[i + 3], now)
    done = done + 1
  end
end
return done
""",
)

_ENSURE = lua(
    *("ids", "state"),
    body="""
local known = state(KEYS[1])
local groups = known and redis.call('XINFO', 'GROUPS', KEYS[1]) or {}
for i = 1, #groups do if fact(groups[i], 'name') == ARGV[1] then return 0 end end
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], known and known.gone or '0-0', 'MKSTREAM')
return 1
""",
)

_PASS = lua(
    "ids",
    body="""
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
for i = 1, #groups do
  if fact(groups[i], 'name') == ARGV[1] and later(ARGV[2], fact(groups[i], 'last-delivered-id')) then
    redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], ARGV[2])
    return 1
  end
end
return 0
""",
)

_TIDY = lua(
    "ids",
    body="""
local gone, consumers = 0, redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
for i = 1, #consumers do
  if fact(consumers[i], 'pending') == 0 and fact(consumers[i], 'idle') >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], fact(consumers[i], 'name'))
    gone = gone + 1
  end
end
return gone
""",
)

SCRIPTS = {
    "pending": _PENDING,
    "reclaim": _RECLAIM,
    "bury": _BURY,
    "ensure": _ENSURE,
    "pass": _PASS,
    "tidy": _TIDY,
}
"""Name to Lua, with keys; arguments.

    pending  stream, dead; group, consumer, now, count, limit, reason for the trimmed, after, alone after
    reclaim  the same with the least idle time in place of after
    bury     stream, dead, [lease]; group, now, holder, token, then per letter: entry id, data, reason, deliveries
    ensure   stream; group
    pass     stream; group, id
    tidy     stream; group, least idle time
"""
