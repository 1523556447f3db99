"""What several Lua scripts of this room share.

Belongs here: pieces of Lua, each a local function, put in front of a script by ``lua``.
Does not belong here: scripts; they stand with what they do.

A script runs alone on the server. None may fail halfway, because what it wrote before would stay: so every script first
checks the kind of each key that it will write (``check``) and computes ids that no stream refuses (``top``).
"""

_PIECES = {
    "check": """
local function check(key, wanted)
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' and kind ~= wanted then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. kind .. ', not a ' .. wanted .. ': nothing was written')
  end
end
""",
    "now": """
local function now_ms(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
""",
    "ids": """
local function parsed(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(seq)
end
local function later(a, b)
  local ams, aseq = parsed(a)
  local bms, bseq = parsed(b)
  return ams > bms or (ams == bms and aseq > bseq)
end
local function fact(info, name)
  for i = 1, #info, 2 do if info[i] == name then return info[i + 1] end end
end
""",
    "state": """
local function state(key)
  if redis.call('EXISTS', key) == 0 then return nil end
  local info = redis.call('XINFO', 'STREAM', key)
  local first = fact(info, 'recorded-first-entry-id')
  if fact(info, 'length') == 0 then first = false end
  return {last = fact(info, 'last-generated-id'), gone = fact(info, 'max-deleted-entry-id'), first = first}
end
""",
    "top": """
local function top(streams, now)
  local ms, seq = now, -1
  for i = 1, #streams do
    local known = state(streams[i])
    if known then
      local top_ms, top_seq = parsed(known.last)
      if top_ms > ms or (top_ms == ms and top_seq > seq) then ms, seq = top_ms, top_seq end
    end
  end
  return ms, seq
end
local function enter(streams, ms, seq, data)
  local entry = string.format('%.0f-%.0f', ms, seq)
  for i = 1, #streams do redis.call('XADD', streams[i], entry, 'data', data) end
  return entry
end
""",
    "trim": """
local function trim(key, before_ms, limit)
  if before_ms <= 0 then return end
  local old = redis.call('XRANGE', key, '-', string.format('(%.0f-0', before_ms), 'COUNT', limit)
  if #old == 0 then return end
  local last = old[#old][1]
  redis.call('XDEL', key, last)
  redis.call('XTRIM', key, 'MINID', '=', last)
end
""",
    "bury": """
local function bury(dead, stream, id, data, reason, group, deliveries, at_ms)
  redis.call('XADD', dead, '*', 'data', data, 'reason', reason, 'stream', stream, 'entry_id', id, 'group', group,
    'deliveries', deliveries, 'at', string.format('%.0f', at_ms))
end
""",
    "fence": """
local function holds(lease, holder, token)
  local known = redis.call('HMGET', lease, 'holder', 'token')
  return known[1] == holder and known[2] == token
end
""",
}
"""Name to Lua. ``top`` is the greatest id of some streams, or now: what ``enter`` writes with a greater one, several streams
take. ``trim`` deletes exactly the old entries, at most ``limit`` per call: it reads their ids first and takes the last of
them out with XDEL, because XTRIM alone would not move ``max-deleted-entry-id``, by which a reader sees that it missed
something. ``bury`` writes a dead letter. ``holds`` tells whether a fencing token is the current one."""


def lua(*pieces: str, body: str) -> str:
    """A script from shared pieces and its own body."""
    return "".join(_PIECES[piece] for piece in pieces) + body
