-- note: what became of a tick stands in the ledger; `kept` entries, about. Returns the entry's id.
local function note(ledger, kept, schedule, tick, outcome, ...)
  return redis.call('XADD', ledger, 'MAXLEN', '~', kept, '*',
    'schedule', schedule, 'tick', tick, 'outcome', outcome, ...)
end
