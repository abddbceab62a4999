-- seal: the declared set of a release is complete; what it does not name goes.
-- KEYS  1 next   2 what every schedule's key begins with   3 the same of its job's fields
--       4 ids   5 state   6 bell   7 ledger
-- ARGV  1 now (ISO)   2 release   3 the set's hash, '' while more go in a call to come
--       4 seconds a tombstone stays   5 entries the ledger keeps   then for each that goes: id, and
--       the four words of what was counted of its ticks
-- Returns the ids that went, none when a newer release stands; and those that are behind, which
-- stay.
-- use: clock ledger number stands behind bury ring
local ENTRY = 5
local now = math.floor(seconds() * 1000)
local standing = redis.call('HGET', KEYS[5], 'release')
local gone, left = {}, {}
if number(standing) > tonumber(ARGV[2]) then
  return { gone, left }
end
for at = 6, #ARGV, ENTRY do
  local id = ARGV[at]
  if redis.call('HGET', KEYS[4], id) == 'declared' then
    local counted = { unpack(ARGV, at + 1, at + 4) }
    local stays, noted = behind(KEYS[7], ARGV[5], KEYS[2] .. id, id, now, counted, 'removed')
    if stays then
      left[#left + 1] = stays
    else
      bury(KEYS[1], KEYS[2], KEYS[3], KEYS[4], id, ARGV[1], now, ARGV[4], noted)
      gone[#gone + 1] = id
    end
  end
end
-- Not before all is gone: a clock that ends here must not leave a set that seems complete.
if ARGV[3] ~= '' and #left == 0 then
  redis.call('HSET', KEYS[5], 'release', ARGV[2], 'declared', ARGV[3])
end
if #gone > 0 then
  ring(KEYS[6])
end
return { gone, left }
