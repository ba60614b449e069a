// Generated from openapi/syncer.yaml by `npm run generate`; do not edit.
export interface paths {
    readonly "/v1/synced": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Has a token reached every gateway replica?
         * @description Asks every replica of the gateway, except the one that stored the token, whether it knows the token. The verdict
         *     falls the moment every replica does, else at the deadline, and is repeated in the header `X-Token-Status`.
         *
         *     A gateway that uses nginx `auth_request` lets any 2xx pass: it sets `denyStatus`.
         */
        readonly get: operations["getSynced"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/replicas": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The replicas of the gateway and how they do.
         * @description The list as its source told it last, with what the probes and the replication lag say of each replica.
         */
        readonly get: operations["listReplicas"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/status": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Everything that the status page shows.
         * @description What this instance of the service knows, one section for each capability that is configured.
         */
        readonly get: operations["getStatus"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/health": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Is the process up?
         * @description Always the same answer, for probes that were written for nginx-syncer.
         */
        readonly get: operations["getHealth"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/livez": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Should the process go on?
         * @description Speaks by its status code; a process that answers at all is alive.
         */
        readonly get: operations["getLivez"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/readyz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Should requests be sent here?
         * @description Speaks by its status code. It is 503 when a check fails, and as soon as the service begins to stop.
         */
        readonly get: operations["getReadyz"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/metrics": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Metrics for Prometheus.
         * @description As OpenMetrics when `Accept` asks for it, else in the text format of Prometheus. Open when `auth.open` has `metrics`.
         */
        readonly get: operations["getMetrics"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/openapi.json": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * This document as JSON.
         * @description The contract of the service, as it is written. Open when `auth.open` has `ui`.
         */
        readonly get: operations["getOpenapiJson"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/openapi.yaml": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * This document as YAML.
         * @description The contract of the service, as it is written. Open when `auth.open` has `ui`.
         */
        readonly get: operations["getOpenapiYaml"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * To the Swagger UI.
         * @description Sends a browser to the page on which this document can be read and tried. Open when `auth.open` has `ui`.
         */
        readonly get: operations["getRoot"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description `Synced`: every replica asked has it. `Partialy`: more than half. `NotSynced`: half or fewer. `Timeout`: the state
         *     of some replica could not be found out in time.
         * @enum {string}
         */
        readonly TokenStatus: "Synced" | "Partialy" | "NotSynced" | "Timeout";
        /**
         * @description Why the state of a replica is unknown: `pending` no answer yet, `silent` an answer is overdue, `refused` no
         *     connection, `reset` it broke, `tls` the certificate does not verify, `garbage` not HTTP, `redirect` never
         *     followed, `throttled` 429, `server-error` 5xx, `unexpected-status` anything else, `not-asked` no probe was sent.
         * @enum {string}
         */
        readonly UnknownReason: "pending" | "silent" | "refused" | "reset" | "tls" | "garbage" | "redirect" | "throttled" | "server-error" | "unexpected-status" | "not-asked";
        /** @description What one replica said of the token. */
        readonly ReplicaAnswer: {
            /** @description Name of the replica. */
            readonly name: string;
            /**
             * @description Whether it has the token; `unknown` says that it could not be asked, see `reason`.
             * @enum {string}
             */
            readonly state: "present" | "absent" | "unknown";
            readonly reason?: components["schemas"]["UnknownReason"];
            /** @description False for a replica that is on its way out; it is reported and does not count. */
            readonly counted: boolean;
            /** @description Probes sent to it. */
            readonly attempts: number;
            /** @description Milliseconds from the start of the check to the answer that settled the state; null without one. */
            readonly ms: number | null;
        };
        /** @description A verdict, and what it rests on. */
        readonly CheckResult: {
            readonly status: components["schemas"]["TokenStatus"];
            /** @description The origin, as the request named it. */
            readonly origin: string;
            /**
             * @description The question that the verdict answers.
             * @enum {string}
             */
            readonly expect: "present" | "absent";
            /** @description Milliseconds from the start of the check to the verdict. */
            readonly ms: number;
            /** @description What each replica said, sorted by name; the origin is not among them. */
            readonly replicas: readonly components["schemas"]["ReplicaAnswer"][];
        };
        /** @description How long after the start of a check tokens arrived at a replica. */
        readonly Lag: {
            /** @description Half of the tokens arrived within this many milliseconds. */
            readonly p50Ms: number;
            /** @description Ninety-nine of a hundred tokens arrived within this many milliseconds. */
            readonly p99Ms: number;
            /** @description How many arrivals these are computed from. */
            readonly samples: number;
        };
        /** @description A replica of the gateway. */
        readonly Replica: {
            /** @description What the replica calls itself. */
            readonly name: string;
            /** @description IP address or host name. */
            readonly address: string;
            /** @description Port of the probe. */
            readonly port: number;
            /** @description It serves but is on its way out; it is asked and does not count. */
            readonly terminating: boolean;
            /**
             * @description `up` answers probes, `down` does not (see `reason`), `unknown` was never probed.
             * @enum {string}
             */
            readonly state: "up" | "down" | "unknown";
            readonly reason?: components["schemas"]["UnknownReason"];
            /**
             * Format: date-time
             * @description When `state` began.
             */
            readonly since: string;
            /** @description Its replication lag; null before the first token was seen to arrive. */
            readonly lag: components["schemas"]["Lag"] | null;
        };
        /** @description Where the list of replicas comes from. */
        readonly ReplicaSource: {
            /**
             * @description The kind of discovery.
             * @enum {string}
             */
            readonly kind: "static" | "dns" | "kubernetes";
            /** @description Milliseconds since the source confirmed the list; null without a list. */
            readonly ageMs: number | null;
            /** @description Why the source cannot be asked right now; left out when all is well. */
            readonly problem?: string;
        };
        /** @description The replicas, sorted by name. */
        readonly ReplicaList: readonly components["schemas"]["Replica"][];
        /** @description The replicas of the gateway. */
        readonly ReplicaPage: {
            readonly items: components["schemas"]["ReplicaList"];
            /** @description There is no further page. */
            readonly nextCursor: null;
            readonly source: components["schemas"]["ReplicaSource"];
        };
        /** @description Verdicts given since the start, by their word. */
        readonly VerdictCounts: {
            /** @description Every replica had it. */
            readonly Synced: number;
            /** @description More than half of the replicas had it. */
            readonly Partialy: number;
            /** @description Half of the replicas or fewer had it. */
            readonly NotSynced: number;
            /** @description The state of some replica could not be found out in time. */
            readonly Timeout: number;
        };
        /** @description The gateway as this instance sees it. */
        readonly GatewayStatus: {
            readonly source: components["schemas"]["ReplicaSource"];
            readonly replicas: components["schemas"]["ReplicaList"];
            readonly verdicts: components["schemas"]["VerdictCounts"];
        };
        /** @description This instance of the service. */
        readonly ServiceStatus: {
            /** @description Version of the service. */
            readonly version: string;
            /** @description Name of this instance, usually that of its Pod or host. */
            readonly instance: string;
            /**
             * Format: date-time
             * @description When it started.
             */
            readonly startedAt: string;
        };
        /** @description What this instance knows; a section is there when its capability is configured. */
        readonly Status: {
            readonly service: components["schemas"]["ServiceStatus"];
            readonly leader: components["schemas"]["LeaderStatus"];
            readonly gateway?: components["schemas"]["GatewayStatus"];
        };
        /** @description Which replica of the service leads, as far as this one knows. */
        readonly LeaderStatus: {
            /**
             * @description `memory` where there is one replica, which always leads; `kubernetes` where a Lease decides.
             * @enum {string}
             */
            readonly driver: "memory" | "kubernetes";
            /** @description Identity of the leader, which begins with the name of its instance; null when there is none, or none is known yet. */
            readonly name: string | null;
            /** @description Whether this replica leads. */
            readonly isLeader: boolean;
            /** @description Fencing token of the term that this replica leads, in decimal digits; null when it does not, or needs none. */
            readonly term: string | null;
            /** @description Milliseconds until that term ends unless it is renewed; null without one. */
            readonly expiresInMs: number | null;
            /** @description Why the store of Leases cannot be asked right now. */
            readonly problem?: string;
        };
        /** @description The answer of nginx-syncer, word for word. */
        readonly Health: {
            /**
             * @description Always the same word.
             * @enum {string}
             */
            readonly status: "Up";
        };
        /** @description One thing that must be well. */
        readonly Check: {
            /** @description What is checked. */
            readonly name: string;
            /** @description Whether it is well. */
            readonly ok: boolean;
            /** @description How it is, in a sentence; only with `verbose`. */
            readonly detail?: string;
        };
        /** @description Each check by name. */
        readonly CheckList: readonly components["schemas"]["Check"][];
        /** @description All checks pass. */
        readonly Checks: {
            /**
             * @description Always `ok`; a check that fails makes the answer a problem.
             * @enum {string}
             */
            readonly status: "ok";
            readonly checks: components["schemas"]["CheckList"];
        };
        /** @description An OpenAPI document. */
        readonly Document: {
            /** @description Version of OpenAPI. */
            readonly openapi: string;
            /** @description Title and version of the service. */
            readonly info: {
                readonly [key: string]: unknown;
            };
            /** @description The operations by path and method. */
            readonly paths: {
                readonly [key: string]: unknown;
            };
        } & {
            readonly [key: string]: unknown;
        };
        /** @description One thing that is wrong with the request, and where. Exactly one of `pointer`, `header` and `query` is there. */
        readonly ProblemError: {
            /** @description JSON Pointer (RFC 6901) into the body. */
            readonly pointer?: string;
            /** @description Name of a header. */
            readonly header?: string;
            /** @description Name of a query parameter. */
            readonly query?: string;
            /** @description What is wrong and what is allowed. */
            readonly detail: string;
        };
        /** @description An error (RFC 9457). */
        readonly Problem: {
            /**
             * Format: uri-reference
             * @description What kind of problem it is. Stable; every one is described in docs/problems.md.
             */
            readonly type: string;
            /** @description The same in words, always the same for a type. */
            readonly title: string;
            /** @description The status of the answer. */
            readonly status: number;
            /** @description What happened here and what can be done. */
            readonly detail: string;
            /**
             * Format: uri-reference
             * @description Path of the request, without its query.
             */
            readonly instance: string;
            /** @description The same as in `X-Request-Id`. */
            readonly requestId: string;
            /** @description What is wrong with the request, each with its place. */
            readonly errors?: readonly components["schemas"]["ProblemError"][];
            readonly checks?: components["schemas"]["CheckList"];
        };
    };
    responses: {
        /** @description The request is malformed; `errors` says where. */
        readonly BadRequest: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The credentials are missing or not good. */
        readonly Unauthorized: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The caller has not the scope that this operation needs. */
        readonly Forbidden: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The capability has no section in the configuration of this service. */
        readonly NotConfigured: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The path has no such method, HEAD and OPTIONS included. */
        readonly MethodNotAllowed: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly Allow: components["headers"]["Allow"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service failed; the log has the reason under the request id. */
        readonly InternalError: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The credentials could not be checked right now. */
        readonly AuthUnavailable: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The request was refused before it was understood: 408 it came too slowly, 417 an expectation that cannot be met,
         *     431 its headers are too large.
         */
        readonly ConnectionError: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /**
         * @description The token, or the key under which the gateway keeps it, in characters that its place on the probe can carry.
         * @example 3f0c9a52e1d84b7c
         */
        readonly AuthToken: string;
        /**
         * @description Name, else address, of the replica that stored the token (nginx `$hostname`). It is neither asked nor counted.
         * @example gw-0
         */
        readonly NginxOrigin: string;
        /**
         * @description Adds a sentence to each check, for people; `?verbose` is enough.
         * @example true
         */
        readonly Verbose: "" | "true" | "1" | "false" | "0";
    };
    requestBodies: never;
    headers: {
        /**
         * @description Identifies this request in the logs. One that the caller sent is kept if it is 1 to 128 of `A-Za-z0-9._:-`.
         * @example 0b0f6e0c-2f6a-4a53-9f7e-2f5a4f1f6f0e
         */
        readonly "X-Request-Id": string;
        /**
         * @description The verdict, spelled and cased exactly so.
         * @example Synced
         */
        readonly "X-Token-Status": components["schemas"]["TokenStatus"];
        /**
         * @description A verdict is true for the moment only.
         * @example no-store
         */
        readonly "Cache-Control": "no-store";
        /**
         * @description Seconds after which to try again.
         * @example 1
         */
        readonly "Retry-After": number;
        /**
         * @description The methods that this path has.
         * @example GET
         */
        readonly Allow: string;
        /**
         * @description What credentials are asked for, as RFC 6750 has it.
         * @example Bearer realm="syncer"
         */
        readonly "WWW-Authenticate": string;
        /**
         * @description Where to go.
         * @example /swagger-ui
         */
        readonly Location: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly getSynced: {
        readonly parameters: {
            readonly query?: {
                /**
                 * @description `present` asks whether the token has arrived everywhere, `absent` whether it has been forgotten everywhere.
                 * @example present
                 */
                readonly expect?: "present" | "absent";
                /**
                 * @description Limits the check to this replica; repeat it for several. All replicas are asked when it is left out.
                 * @example [
                 *       "gw-1"
                 *     ]
                 */
                readonly replica?: readonly string[];
                /**
                 * @description Status of an answer whose verdict is not `Synced`, in place of 200; its header and body stay the same.
                 * @example 403
                 */
                readonly denyStatus?: 401 | 403;
            };
            readonly header: {
                /**
                 * @description The token, or the key under which the gateway keeps it, in characters that its place on the probe can carry.
                 * @example 3f0c9a52e1d84b7c
                 */
                readonly "X-Auth-Token": components["parameters"]["AuthToken"];
                /**
                 * @description Name, else address, of the replica that stored the token (nginx `$hostname`). It is neither asked nor counted.
                 * @example gw-0
                 */
                readonly "X-Nginx-Origin": components["parameters"]["NginxOrigin"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A verdict, whichever it is (only `Synced` when `denyStatus` is set). */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly "X-Token-Status": components["headers"]["X-Token-Status"];
                    readonly "Cache-Control": components["headers"]["Cache-Control"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CheckResult"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            /** @description The caller's credentials are missing or not good (a problem), or the verdict is not `Synced` and `denyStatus` is 401 (a verdict). */
            readonly 401: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                    /**
                     * @description The verdict. It is there when the status comes from `denyStatus`, and tells such an answer from a problem.
                     * @example NotSynced
                     */
                    readonly "X-Token-Status"?: components["schemas"]["TokenStatus"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CheckResult"];
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not do this (a problem), or the verdict is not `Synced` and `denyStatus` is 403 (a verdict). */
            readonly 403: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    /**
                     * @description The scope that is missing, as RFC 6750 has it; a verdict has none.
                     * @example Bearer realm="syncer", error="insufficient_scope", scope="synced"
                     */
                    readonly "WWW-Authenticate"?: string;
                    /**
                     * @description The verdict. It is there when the status comes from `denyStatus`, and tells such an answer from a problem.
                     * @example NotSynced
                     */
                    readonly "X-Token-Status"?: components["schemas"]["TokenStatus"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CheckResult"];
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 404: components["responses"]["NotConfigured"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            /** @description The origin, or a replica that the check is limited to, is not a replica of the gateway. */
            readonly 422: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 500: components["responses"]["InternalError"];
            /** @description No verdict can be given right now; `Retry-After` says when to ask again. */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly "Retry-After": components["headers"]["Retry-After"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly listReplicas: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description All replicas, in one page. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ReplicaPage"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotConfigured"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["AuthUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getStatus: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The status of this instance. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Status"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["AuthUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getHealth: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The process is up. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Health"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getLivez: {
        readonly parameters: {
            readonly query?: {
                /**
                 * @description Adds a sentence to each check, for people; `?verbose` is enough.
                 * @example true
                 */
                readonly verbose?: components["parameters"]["Verbose"];
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The process is alive. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Checks"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getReadyz: {
        readonly parameters: {
            readonly query?: {
                /**
                 * @description Adds a sentence to each check, for people; `?verbose` is enough.
                 * @example true
                 */
                readonly verbose?: components["parameters"]["Verbose"];
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Every check passes. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Checks"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            /** @description A check fails; `checks` says which. */
            readonly 503: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly "Retry-After": components["headers"]["Retry-After"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getMetrics: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description All metrics of this instance. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/plain": string;
                    readonly "application/openmetrics-text": string;
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["AuthUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getOpenapiJson: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description This document. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Document"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["AuthUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getOpenapiYaml: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description This document. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/yaml": unknown;
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["AuthUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getRoot: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The page is at `/swagger-ui`. */
            readonly 302: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["Location"];
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["AuthUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
}
