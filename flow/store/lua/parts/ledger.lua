-- note: what became of a tick stands in the ledger; `kept` entries, about.
local function note(ledger, kept, schedule, tick, outcome, ...)
  redis.call('XADD', ledger, 'MAXLEN', '~', kept, '*',
    'schedule', schedule, 'tick', tick, 'outcome', outcome, ...)
end
