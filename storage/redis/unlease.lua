-- Gives leased items back as if they had not been leased, for a caller who was
-- told of an error and not of them.
--
-- ARGV: 2 the instant at which they were leased; then for each item its
--       conversation, lane, ID and token
--
-- Output: OK.

for i = 3, #ARGV, 4 do
  local id, lane = ARGV[i], ARGV[i + 1]
  local head = redis.call('LINDEX', queue(lane, id), 0)
  if held(head, ARGV[i + 2], ARGV[i + 3]) then
    local n = string.format('%010d', tonumber(tries(head)) - 1)
    postpone(lane, id, head, token(head), n, 'D', ARGV[2])
  end
end
return 'OK'
