// Tokens are in a shared dict, and nginx itself spreads them: `ngx.timer.every` flushes what changed to every peer over its
// socket. The harness only asks the origin for the moment at which the last peer had it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReplicaClient } from './replica-client.ts'
import { PROBE_PATH, STORE_PATH, TOKEN_MAPS, type Zone, type ZoneMember } from './zone.ts'
import type { Change, Lag } from './zone-sync.ts'

const ASK_EVERY_MS = 5

/** Creates the zone; `tickMs` is the period of every replica's timer, which starts with the process. */
export function createLuaZone(tickMs: number, client: ReplicaClient): Zone {
  const members = new Map<string, ZoneMember>()
  const lags = new Map<string, Lag>()
  const stopped = new AbortController()

  const tellPeers = () => {
    for (const member of members.values()) {
      const lines = [...members.values()]
        .filter((other) => other !== member && lags.get(other.name) !== 'never')
        .map((other) => `${socketPath(other.nginx.folder)} ${Number(lags.get(other.name) ?? 0) / 1_000}\n`)
      writeFileSync(join(member.nginx.folder, 'peers'), lines.join(''))
    }
  }
  const isHeldBack = (origin: string) =>
    [...members.keys()].some((name) => name !== origin && lags.get(name) === 'never')
  const watch = async (member: ZoneMember, token: string, verb: string): Promise<number> => {
    while (!stopped.signal.aborted) {
      const { status, body } = await client.send('GET', member, `/_when/${verb}/${token}`)
      // Wall-clock seconds of the replica, moved onto this process's monotonic clock.
      if (status === 200 && !isHeldBack(member.name)) return Number(body) * 1_000 - (Date.now() - performance.now())
      await sleep(ASK_EVERY_MS, undefined, { signal: stopped.signal })
    }
    throw stopped.signal.reason
  }
  return {
    modules: ['lua'],
    http: (folder) => `${TOKEN_MAPS}
  lua_shared_dict tokens 16m;
  lua_shared_dict pending 16m;
  lua_shared_dict arrived 16m;
  lua_socket_log_errors off;
  init_worker_by_lua_block {
    local pending, arrived = ngx.shared.pending, ngx.shared.arrived
    local function tell(path, lag, lines)
      if lag > 0 then ngx.sleep(lag) end
      local sock = ngx.socket.tcp()
      if not sock:connect("unix:" .. path) then return nil end
      local body = table.concat(lines, "\\n")
      sock:send("POST /_peer HTTP/1.0\\r\\nContent-Length: " .. #body .. "\\r\\n\\r\\n" .. body)
      local answer = sock:receive("*a")
      sock:close()
      return answer and tonumber(answer:match("\\r\\n\\r\\n([%d.]+)"))
    end
    local function flush()
      local lines = pending:get_keys(0)
      if #lines == 0 then return end
      for _, line in ipairs(lines) do pending:delete(line) end
      local threads = {}
      for peer in io.lines("${folder}/peers") do
        local path, lag = peer:match("^(%S+) (%S+)$")
        threads[#threads + 1] = ngx.thread.spawn(tell, path, tonumber(lag), lines)
      end
      local last = ngx.now()
      for _, thread in ipairs(threads) do
        local ok, at = ngx.thread.wait(thread)
        if not ok or not at then return end
        if at > last then last = at end
      end
      for _, line in ipairs(lines) do arrived:set(line, last) end
    end
    ngx.timer.every(${tickMs / 1_000}, flush)
  }
  server {
    listen unix:${socketPath(folder)};
    client_body_buffer_size 1m;
    location = /_peer {
      content_by_lua_block {
        ngx.req.read_body()
        for verb, token in (ngx.req.get_body_data() or ""):gmatch("(%a+)/(%S+)") do
          if verb == "put" then ngx.shared.tokens:set(token, true) else ngx.shared.tokens:delete(token) end
        end
        ngx.update_time()
        ngx.print(string.format("%.3f", ngx.now()))
      }
    }
  }`,
    locations: () => `
    location = ${PROBE_PATH} {
      content_by_lua_block {
        if not ngx.shared.tokens:get(ngx.var.token) then return ngx.exit(401) end
        ngx.say("ok")
      }
    }
    location ~ ^${STORE_PATH}(?<stored>[A-Za-z0-9_-]+)$ {
      content_by_lua_block {
        local token, put = ngx.var.stored, ngx.req.get_method() == "PUT"
        if put then ngx.shared.tokens:set(token, true) else ngx.shared.tokens:delete(token) end
        if not ngx.var.http_x_planted then
          local line = (put and "put/" or "remove/") .. token
          ngx.shared.arrived:delete(line)
          ngx.shared.pending:set(line, true)
        end
        ngx.exit(204)
      }
    }
    location ~ ^/_when/(?<change>.+)$ {
      content_by_lua_block {
        local at = ngx.shared.arrived:get(ngx.var.change)
        if not at then return ngx.exit(404) end
        ngx.print(string.format("%.3f", at))
      }
    }
    location = /_all { content_by_lua_block { ngx.print(table.concat(ngx.shared.tokens:get_keys(0), " ")) } }`,
    join: async (member) => {
      const [other] = members.values()
      members.set(member.name, member)
      tellPeers()
      if (other === undefined) return
      const { body } = await client.send('GET', other, '/_all')
      for (const token of body.split(' ').filter((name) => name !== ''))
        await client.send('PUT', member, `${STORE_PATH}${token}`, { 'x-planted': '1' })
    },
    leave: (name) => {
      members.delete(name)
      lags.delete(name)
      tellPeers()
    },
    change: async (member, token, verb): Promise<Change> => {
      await client.send(verb === 'put' ? 'PUT' : 'DELETE', member, `${STORE_PATH}${token}`)
      const everywhere = watch(member, token, verb)
      everywhere.catch(() => undefined) // the gateway was stopped, and nobody may be waiting
      return { token, origin: member.name, startedAt: performance.now(), everywhere, arrivals: new Map() }
    },
    plant: async (member, token) => {
      await client.send('PUT', member, `${STORE_PATH}${token}`, { 'x-planted': '1' })
    },
    setLag: (name, lag) => {
      lags.set(name, lag)
      tellPeers()
    },
    nextTickAt: () => {
      throw new Error('nginx alone knows its tick')
    },
    stop: () => stopped.abort(new Error('the gateway was stopped')),
  }
}

function socketPath(folder: string): string {
  mkdirSync(folder, { recursive: true })
  return join(folder, 'peer.sock')
}
