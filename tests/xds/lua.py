"""The owner cache's script in an interpreter of its own, with stubs of what Envoy gives it."""

from collections.abc import Iterable

from lupa import luajit21

from control_plane.xds.owner_cache import source
from tests.xds.samples import RANGES

_STUBS = """
local function headers_of(names)
  local found = {}
  for name, value in pairs(names) do found[name] = value end
  return {
    found = found,
    -- As in Envoy: of what is not there not even nil.
    get = function(_, name) if found[name] ~= nil then return found[name] end end,
    replace = function(_, name, value) found[name] = tostring(value) end,
    remove = function(_, name) found[name] = nil end,
  }
end

local function piece_of(text)
  local piece = { text = text }
  function piece:length() return #self.text end
  function piece:getBytes(from, length) return self.text:sub(from + 1, from + length) end
  function piece:setBytes(new) self.text = new return #new end
  return piece
end

-- Runs the answer's hook over pieces, the last of which is alive when the loop is over.
function answer(names, pieces)
  local headers, given, at = headers_of(names), {}, 0
  for index, text in ipairs(pieces) do given[index] = piece_of(text) end
  local handle = {}
  function handle:headers() return headers end
  -- What the hook of the request kept.
  function handle:streamInfo()
    return { dynamicMetadata = function() return { get = function() return kept end } end }
  end
  function handle:body()
    given = { piece_of(table.concat(pieces)) }
    return given[1]
  end
  function handle:bodyChunks()
    return function()
      at = at + 1
      return given[at]
    end
  end
  envoy_on_response(handle)
  local texts = {}
  for index, piece in ipairs(given) do texts[index] = piece.text end
  return table.concat(texts), headers.found
end
"""


class Script:
    """The script as an Envoy's worker runs it."""

    def __init__(self, epoch: str = "1") -> None:
        self._lua = luajit21.LuaRuntime(encoding=None)
        self._lua.execute(f"{source(RANGES, 1000, epoch)}\n{_STUBS}".encode())
        self._answer = self._lua.globals()[b"answer"]

    def answer(
        self, pieces: Iterable[bytes], *, bare: bool = False, minor: str = "", **headers: str
    ) -> tuple[bytes, dict[str, str]]:
        """Pass an answer through; gives its body and headers as a client gets them.

        `bare`: the client's path was the service's own, without the gateway's prefix. `minor`: the
        version that was asked for, if it is known.
        """
        kept = {b"bare": b"1"} if bare else {}
        if minor:
            kept[b"minor"] = minor.encode()
        self._lua.globals()[b"kept"] = self._lua.table_from(kept)
        names = {name.replace("_", "-").encode(): text.encode() for name, text in headers.items()}
        names.setdefault(b":status", b"200")
        body, found = self._answer(self._lua.table_from(names), self._lua.table_from(list(pieces)))
        return body, {name.decode(): value.decode() for name, value in found.items()}
