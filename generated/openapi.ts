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
    readonly "/v1/gateway/history": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The last quarter of an hour of the gateway.
         * @description Verdicts by their word, and how long tokens took to arrive, in steps of ten seconds. Kept by this instance, for its own checks.
         */
        readonly get: operations["getGatewayHistory"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/tokens/sync": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Bring the tokens of several Waiter clusters to their latest version.
         * @description Starts a run and answers with it: 202 at once, or 200 with the ended run when `Prefer: wait=N` gives it the time.
         *     What the body leaves out is as the configuration has it; without a body all clusters are synced. Only clusters of
         *     the configuration can be named.
         *
         *     A dry run answers with the plan and writes nothing; `plan` carries out exactly what a dry run found. A repeated
         *     request with the same `Idempotency-Key` gets the run of the first one.
         */
        readonly post: operations["syncTokens"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/db/sync": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Bring the tables of a pair to the newest version of every row.
         * @description Starts a run and answers with it: 202 at once, or 200 with the ended run when `Prefer: wait=N` gives it the time.
         *     The run reads a window of time, (begin, end], of every table: first the left side's rows go to the right, then the
         *     right side's back, each only where it is newer than what is there. Without `begin` the window begins where the last
         *     complete one ended; without `end` it ends now, less the lag of the pair. An explicit bound is exact, and never moves
         *     what is kept for the next run.
         *
         *     Deletes are not carried over: a row carries no trace of them. Only pairs of the configuration can be named. A
         *     repeated request with the same `Idempotency-Key` gets the run of the first one.
         */
        readonly post: operations["syncDb"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/db/verify": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Compare the two sides of a pair.
         * @description Starts a run and answers with it, as `syncDb` does. It counts every id once, by the newest version that each side
         *     has, and lists the first differences; any difference makes the run `failed`. Without `begin` and `end` it covers
         *     everything up to now. It neither reads nor moves what is kept for the next sync, and writes nothing unless
         *     `repair` asks for it.
         */
        readonly post: operations["verifyDb"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/runs": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Runs, the newest first.
         * @description Those under way and those of the past, as far back as the history goes. Runs survive a restart of the service.
         */
        readonly get: operations["listRuns"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/runs/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * One run.
         * @description How far it is, or how it ended. Any replica of the service answers for any run where they share their state.
         */
        readonly get: operations["getRun"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/runs/{id}/cancel": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Ask a run to end.
         * @description Needs the scope of the run's kind. The run ends as soon as what it is writing is written; a run that has ended stays
         *     as it is. Any replica of the service can be asked where they share their state.
         */
        readonly post: operations["cancelRun"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/runs/{id}/items": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What happened to each part of a run.
         * @description One item for each token that the run dealt with, or for each table and direction, sorted by it. There are more of them while the run is under way.
         */
        readonly get: operations["listRunItems"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/runs/{id}/events": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Follow a run.
         * @description Server-sent events, from the beginning of the run or from after `Last-Event-ID`: `item` for each item, with its number
         *     as `id`; `progress` with how far the run is; at last `end` with the run, after which the answer ends. An item that is
         *     dealt with again comes again. A comment comes every 15 seconds in which nothing else does.
         *
         *     The stream may end before the run does, for instance when this replica of the service stops: connect again, as
         *     browsers do by themselves, and close the `EventSource` at `end`.
         */
        readonly get: operations["streamRunEvents"];
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
            /**
             * Format: date-time
             * @description When it last answered a probe with 200 or 401; left out before the first time.
             */
            readonly lastSeen?: string;
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
        /** @description What to sync and how; what is left out is as the configuration has it. */
        readonly SyncTokensRequest: {
            /** @description Names of the clusters, two at least; all when it is left out. */
            readonly clusters?: readonly components["schemas"]["ClusterName"][];
            /**
             * @description `safe` loses nothing; `compat` does what the original token-syncer did, to the letter.
             * @enum {string}
             */
            readonly mode?: "safe" | "compat";
            /** @description Plans and writes nothing; the items are what would be done. */
            readonly dryRun?: boolean;
            /** @description How many tokens that are not in sync one run deals with at most. */
            readonly limit?: number;
            /** @description Name in `metadata` that keeps a token out of the sync where its value is `"true"`. */
            readonly optOutMetadataName?: string;
            /**
             * @description What becomes of the run when a cluster gives no list of its tokens: it fails, or goes on and writes nothing for a token that some cluster has not answered for.
             * @enum {string}
             */
            readonly onUnreachable?: "fail" | "skip-writes";
            /** @description Which version wins where none of two knows of the other: the `newest`, none (`fail`), or that of a cluster (`prefer:NAME`). */
            readonly onConflict?: string;
            /** @description How many tokens the run may delete, or how much of all tokens; a plan that deletes more is refused as a whole. */
            readonly maxDeletes?: number | string;
            /** @description Names of clusters that may list no token though they had some at the last run. */
            readonly allowEmpty?: readonly components["schemas"]["ClusterName"][];
            /** @description Milliseconds within which a cluster must accept a connection. */
            readonly connectionTimeoutMs?: number;
            /** @description Milliseconds for which a cluster may be silent during a request. */
            readonly idleTimeoutMs?: number;
            /**
             * Format: uuid
             * @description Id of a dry run. Exactly what it found is carried out, and tokens that have changed since are refused.
             */
            readonly plan?: string;
        };
        /** @description Name of a pair in the configuration. */
        readonly PairName: string;
        /** @description Name of a table. */
        readonly TableName: string;
        /** @description Names of tables, some of the pair's; all of them when it is left out. */
        readonly TableNames: readonly components["schemas"]["TableName"][];
        /** @description A moment, as ISO 8601 (UTC without an offset), as epoch seconds (10 digits) or milliseconds (13 digits). */
        readonly WindowTime: string | number;
        /** @description What to sync; what is left out is as the configuration has it. */
        readonly SyncDbRequest: {
            readonly pair: components["schemas"]["PairName"];
            readonly tables?: components["schemas"]["TableNames"];
            /**
             * @description Which rows are carried; both when it is left out, first those of the left side.
             * @enum {string}
             */
            readonly direction?: "both" | "left-to-right" | "right-to-left";
            readonly begin?: components["schemas"]["WindowTime"];
            readonly end?: components["schemas"]["WindowTime"];
            /** @description Compares and writes nothing; `applied` is what would be written. */
            readonly dryRun?: boolean;
        };
        /** @description What to compare; what is left out is as the configuration has it. */
        readonly VerifyDbRequest: {
            readonly pair: components["schemas"]["PairName"];
            readonly tables?: components["schemas"]["TableNames"];
            readonly begin?: components["schemas"]["WindowTime"];
            readonly end?: components["schemas"]["WindowTime"];
            /** @description How many differences are told one by one at most; 100 when it is left out. */
            readonly maxDifferences?: number;
            /** @description Looks for ids that one side alone has, rows that are marked as deleted left aside. */
            readonly orphans?: boolean;
            /**
             * @description What becomes of orphans: `none`, brought to the other side (`copy`), or deleted from the side that has them (`delete-left`, `delete-right`); needs `orphans`.
             * @enum {string}
             */
            readonly repair?: "none" | "copy" | "delete-left" | "delete-right";
        };
        /** @description Name of a Waiter cluster in the configuration. */
        readonly ClusterName: string;
        /**
         * @description What a run does: `tokens` syncs tokens between Waiter clusters, `db` syncs rows between databases.
         * @enum {string}
         */
        readonly RunKind: "tokens" | "db";
        /**
         * @description `queued` and `running` are under way, the others do not change any more. `succeeded`: all is well. `failed`: some or
         *     all of it is not, see `problem` and the items. `cancelled`: it was asked to end. `interrupted`: the service ended
         *     before it.
         * @enum {string}
         */
        readonly RunState: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "interrupted";
        /**
         * Format: uuid
         * @description Id of a run (UUIDv7); ids sort by the moment of their making.
         */
        readonly RunId: string;
        /**
         * @description Who started it.
         * @enum {string}
         */
        readonly RunTrigger: "api" | "schedule" | "cli";
        /** @description How far a run is. */
        readonly RunProgress: {
            /** @description Parts that are done. */
            readonly done: number;
            /** @description All parts, once it is known. */
            readonly total?: number;
            /** @description What is being done, in a few words. */
            readonly message?: string;
            /** @description More figures, by name. */
            readonly figures?: {
                readonly [key: string]: number;
            };
            /** @description How far each table and direction is, in a run of kind `db`; the first hundred of them. */
            readonly tables?: readonly components["schemas"]["DbProgress"][];
        };
        /** @description A lock that the run holds, or held. */
        readonly RunLock: {
            /** @description Name of the lock. */
            readonly name: string;
            /** @description Fencing token of the lock, in decimal digits. */
            readonly token: string;
        };
        /** @description Why a run did not go well as a whole (RFC 9457); what went wrong with a single item is in that item. */
        readonly RunProblem: {
            /**
             * Format: uri-reference
             * @description What kind of problem it is. Stable; every one is described in docs/problems.md.
             */
            readonly type: string;
            /** @description The same in words, always the same for a type. */
            readonly title: string;
            /** @description What happened here and what can be done. */
            readonly detail: string;
        };
        /** @description A run in a few words. */
        readonly RunOutline: {
            readonly id: components["schemas"]["RunId"];
            readonly kind: components["schemas"]["RunKind"];
            readonly state: components["schemas"]["RunState"];
            readonly trigger: components["schemas"]["RunTrigger"];
            /** @description Whether it only plans. */
            readonly dryRun: boolean;
            /**
             * Format: date-time
             * @description When it was asked for.
             */
            readonly createdAt: string;
            /**
             * Format: date-time
             * @description When it began; null before.
             */
            readonly startedAt: string | null;
            /**
             * Format: date-time
             * @description When it ended; null before.
             */
            readonly endedAt: string | null;
        };
        /** @description Long work that can be watched, cancelled and found again. */
        readonly Run: {
            readonly id: components["schemas"]["RunId"];
            readonly kind: components["schemas"]["RunKind"];
            readonly state: components["schemas"]["RunState"];
            readonly trigger: components["schemas"]["RunTrigger"];
            /** @description What was asked for, by the names of the request body. */
            readonly request: {
                readonly [key: string]: unknown;
            };
            /** @description Whether it only plans. */
            readonly dryRun: boolean;
            /** @description How far it is; null before the first word of it. */
            readonly progress: components["schemas"]["RunProgress"] | null;
            /** @description What came of it, by its kind; null before it has ended, and where it ended too early to have one. */
            readonly summary: components["schemas"]["TokensSummary"] | components["schemas"]["DbSummary"] | components["schemas"]["DbVerifySummary"] | null;
            readonly problem?: components["schemas"]["RunProblem"];
            /**
             * @description It was asked to end and is still under way; left out else.
             * @enum {boolean}
             */
            readonly cancelRequested?: true;
            /** @description The locks under which it works; left out where it needs none. */
            readonly locks?: readonly components["schemas"]["RunLock"][];
            /**
             * Format: uuid
             * @description The interrupted run that this one takes up; left out where there is none.
             */
            readonly takesUp?: string;
            /**
             * Format: date-time
             * @description When it was asked for.
             */
            readonly createdAt: string;
            /**
             * Format: date-time
             * @description When it began; null before.
             */
            readonly startedAt: string | null;
            /**
             * Format: date-time
             * @description When it ended; null before.
             */
            readonly endedAt: string | null;
        };
        /** @description Runs, the newest first. */
        readonly RunPage: {
            /** @description The runs of this page. */
            readonly items: readonly components["schemas"]["Run"][];
            readonly nextCursor: components["schemas"]["NextCursor"];
        };
        /** @description `cursor` of the next page; null when there is none. */
        readonly NextCursor: string | null;
        /** @description Names of tokens, sorted. */
        readonly TokenNames: readonly string[];
        /** @description What came of a run of kind `tokens`; in a dry run, what would come of it. */
        readonly TokensSummary: {
            /** @description The tokens that the run dealt with, by how they came out. */
            readonly sync: {
                readonly unmodified: components["schemas"]["TokenNames"];
                readonly updated: components["schemas"]["TokenNames"];
                readonly failed: components["schemas"]["TokenNames"];
            };
            /** @description How many tokens there are. */
            readonly tokens: {
                /** @description Tokens that the lists did not show to be in sync. */
                readonly pending: number;
                /** @description Tokens that were in sync already. */
                readonly "previously-synced": number;
                /** @description Tokens that the run dealt with. */
                readonly processed: number;
                /** @description Pending tokens that the run took on, `limit` at most. */
                readonly selected: number;
                /** @description All tokens of all clusters. */
                readonly total: number;
            };
            /** @description Writes by kind, and what was not written and why, each counted once a cluster; in a dry run what would be written. */
            readonly counts: {
                /** @description Tokens brought to a cluster that had none of that name. */
                readonly create: number;
                /** @description Tokens brought to a newer version. */
                readonly update: number;
                /** @description Tokens marked as deleted. */
                readonly softDelete: number;
                /** @description Tokens deleted for good. */
                readonly hardDelete: number;
                /** @description Left as they are on purpose. */
                readonly skip: number;
                /** @description Left as they are because versions disagree. */
                readonly conflict: number;
            };
            /** @description Clusters whose clock differs from that of the service by two seconds or more. */
            readonly clockSkew?: readonly {
                readonly cluster: components["schemas"]["ClusterUrl"];
                /** @description Milliseconds by which the cluster is ahead; negative when it is behind. */
                readonly skewMs: number;
            }[];
        };
        /** @description URL of a Waiter cluster. */
        readonly ClusterUrl: string;
        /**
         * @description `unmodified`: all was as it should be. `updated`: it is now, or was left on purpose. `failed`: it is not.
         * @enum {string}
         */
        readonly ItemStatus: "unmodified" | "updated" | "failed";
        /**
         * @description What happened to a token on one cluster. `success/token-match` nothing to do, `success/sync-update` written,
         *     `success/soft-delete` marked as deleted, `success/hard-delete` deleted for good, `success/skip-missing` neither
         *     version exists, `success/skip-opt-out` kept out by its metadata, `success/skip-hard-delete` was not there to delete;
         *     `error/token-read` a cluster has not answered, `error/token-sync` and `error/hard-delete` the write was refused,
         *     `error/tokens-deleted` both are deleted and differ, `error/root-mismatch` two tokens of one name, `error/conflict`
         *     edits that do not know of each other, `error/plan-outdated` changed since the plan, `error/max-deletes` one delete too many.
         * @enum {string}
         */
        readonly TokenCode: "success/token-match" | "success/sync-update" | "success/soft-delete" | "success/hard-delete" | "success/skip-missing" | "success/skip-opt-out" | "success/skip-hard-delete" | "error/token-read" | "error/token-sync" | "error/tokens-deleted" | "error/root-mismatch" | "error/hard-delete" | "error/conflict" | "error/plan-outdated" | "error/max-deletes";
        /** @description What happened to a token on one cluster. */
        readonly TokenResult: {
            readonly code: components["schemas"]["TokenCode"];
            /**
             * @description What was written, or in a dry run would be; left out where nothing was.
             * @enum {string}
             */
            readonly effect?: "create" | "update" | "softDelete" | "hardDelete";
            /** @description More about it, by its code. */
            readonly details?: {
                readonly [key: string]: unknown;
            };
        };
        /** @description What happened to one token. */
        readonly TokenItem: {
            /** @description Name of the token. */
            readonly id: string;
            readonly status: components["schemas"]["ItemStatus"];
            /** @description Where the version is that the others get. */
            readonly latest: {
                readonly cluster: components["schemas"]["ClusterUrl"];
                /** @description The version, as the cluster names it. */
                readonly etag?: string;
                /** @description When it was last changed, as the cluster has it. */
                readonly lastUpdateTime?: string;
            };
            /** @description By URL of the cluster, sorted; the one with the latest version has none, unless it is deleted there too. */
            readonly results: {
                readonly [key: string]: components["schemas"]["TokenResult"];
            };
        };
        /**
         * @description Whose rows go where.
         * @enum {string}
         */
        readonly DbDirection: "left-to-right" | "right-to-left";
        /** @description The rows with begin < tmstmp <= end. */
        readonly DbWindow: {
            /**
             * Format: date-time
             * @description Where it begins; itself not in it.
             */
            readonly begin: string;
            /**
             * Format: date-time
             * @description Where it ends; itself in it.
             */
            readonly end: string;
        };
        /** @description Rows by what became of them; read = applied + older + equal + echoed + failed. */
        readonly DbCounts: {
            /** @description Rows that were read. */
            readonly read: number;
            /** @description Rows that were written, or in a dry run would be. */
            readonly applied: number;
            /** @description Rows whose other side is newer, and older versions of a row. */
            readonly older: number;
            /** @description Rows that the other side has already. */
            readonly equal: number;
            /** @description Rows that this very run had brought from the other side. */
            readonly echoed: number;
            /** @description Rows that could not be carried; they are among the dead letters. */
            readonly failed: number;
        };
        /** @description How far a table is in one direction. */
        readonly DbProgress: {
            readonly table: components["schemas"]["TableName"];
            readonly direction: components["schemas"]["DbDirection"];
            /** @description Parts of the table that are done. */
            readonly done: number;
            /** @description All parts of it, as far as is known. */
            readonly total: number;
            /** @description Rows that were read. */
            readonly read: number;
            /** @description Rows that were written, or in a dry run would be. */
            readonly applied: number;
            /** @description Rows whose other side is newer, and older versions of a row. */
            readonly older: number;
            /** @description Rows that the other side has already. */
            readonly equal: number;
            /** @description Rows that this very run had brought from the other side. */
            readonly echoed: number;
            /** @description Rows that could not be carried; they are among the dead letters. */
            readonly failed: number;
        };
        /** @description What came of a sync of a pair; in a dry run, what would come of it. The items say it for each table and direction. */
        readonly DbSummary: {
            readonly window: components["schemas"]["DbWindow"];
            readonly counts: components["schemas"]["DbCounts"];
            /** @description Rows of the pair that wait to be tried again with the next run. */
            readonly deadLetters: number;
        };
        /** @description Ids by how their newest versions compare, each counted once. */
        readonly DbVerdictCounts: {
            /** @description The same version with the same values. */
            readonly equal: number;
            /** @description The left side has a newer version. */
            readonly leftNewer: number;
            /** @description The right side has a newer version. */
            readonly rightNewer: number;
            /** @description Only the left side has it. */
            readonly onlyLeft: number;
            /** @description Only the right side has it. */
            readonly onlyRight: number;
            /** @description The same version with other values, or a row that cannot be read. */
            readonly differs: number;
        };
        /** @description An id that is not the same on both sides. */
        readonly DbDifference: {
            readonly table: components["schemas"]["TableName"];
            /** @description The id. */
            readonly id: string;
            /**
             * @description How the sides compare.
             * @enum {string}
             */
            readonly kind: "leftNewer" | "rightNewer" | "onlyLeft" | "onlyRight" | "differs";
        };
        /** @description How the two sides of a pair compare. */
        readonly DbVerifySummary: {
            readonly window: components["schemas"]["DbWindow"];
            readonly counts: components["schemas"]["DbVerdictCounts"];
            /** @description The first differences, by table and id. */
            readonly differences: readonly components["schemas"]["DbDifference"][];
            /** @description Rows that `repair` has copied or deleted. */
            readonly repaired: number;
        };
        /** @description What happened to one table in one direction. */
        readonly DbItem: {
            readonly table: components["schemas"]["TableName"];
            readonly direction: components["schemas"]["DbDirection"];
            readonly window: components["schemas"]["DbWindow"];
            /** @description Rows that were read. */
            readonly read: number;
            /** @description Rows that were written, or in a dry run would be. */
            readonly applied: number;
            /** @description Rows whose other side is newer, and older versions of a row. */
            readonly older: number;
            /** @description Rows that the other side has already. */
            readonly equal: number;
            /** @description Rows that this very run had brought from the other side. */
            readonly echoed: number;
            /** @description Rows that could not be carried; they are among the dead letters. */
            readonly failed: number;
            /** @description How long it took, in milliseconds. */
            readonly ms: number;
            /** @description What there is to know beyond the figures; left out where there is nothing. */
            readonly note?: string;
            readonly status: components["schemas"]["ItemStatus"];
        };
        /** @description How one table compares. */
        readonly DbVerifyItem: {
            readonly table: components["schemas"]["TableName"];
            readonly counts: components["schemas"]["DbVerdictCounts"];
            /** @description How long it took, in milliseconds. */
            readonly ms: number;
            readonly status: components["schemas"]["ItemStatus"];
        };
        /** @description What happened to a part of a run, by its kind. */
        readonly RunItem: components["schemas"]["TokenItem"] | components["schemas"]["DbItem"] | components["schemas"]["DbVerifyItem"];
        /** @description Items of a run, sorted by the name of the token, or by table and direction. */
        readonly RunItemPage: {
            /** @description The items of this page. */
            readonly items: readonly components["schemas"]["RunItem"][];
            readonly nextCursor: components["schemas"]["NextCursor"];
        };
        /** @description What a run does, as a server-sent event (HTML standard) whose `data` is JSON. */
        readonly RunEvent: components["schemas"]["RunProgressEvent"] | components["schemas"]["RunItemEvent"] | components["schemas"]["RunEndEvent"];
        /** @description Number of the last item that has come, for `Last-Event-ID`. */
        readonly RunEventId: string;
        /** @description The run has gone on. */
        readonly RunProgressEvent: {
            /**
             * @description Name of the event.
             * @enum {string}
             */
            readonly event: "progress";
            readonly id?: components["schemas"]["RunEventId"];
            /** @description How far it is. */
            readonly data: string;
        };
        /** @description A part of the run is dealt with. */
        readonly RunItemEvent: {
            /**
             * @description Name of the event.
             * @enum {string}
             */
            readonly event: "item";
            readonly id?: components["schemas"]["RunEventId"];
            /** @description What happened to it. */
            readonly data: string;
        };
        /** @description The run has ended, and so does the stream. */
        readonly RunEndEvent: {
            /**
             * @description Name of the event.
             * @enum {string}
             */
            readonly event: "end";
            readonly id?: components["schemas"]["RunEventId"];
            /** @description How it ended. */
            readonly data: string;
        };
        /** @description The token sync of this service. */
        readonly TokensStatus: {
            /** @description The Waiter clusters, as the configuration has them. */
            readonly clusters: readonly {
                readonly name: components["schemas"]["ClusterName"];
                readonly url: components["schemas"]["ClusterUrl"];
            }[];
            readonly lastRun: components["schemas"]["LastRun"];
            /** @description Why the runs cannot be read right now, so that `lastRun` is null; left out when all is well. */
            readonly problem?: string;
        };
        /** @description One side of a pair. */
        readonly DbSideStatus: {
            /**
             * @description What it is.
             * @enum {string}
             */
            readonly kind: "cassandra" | "elasticsearch" | "sqlite";
            /** @description Where it is, without credentials. */
            readonly address: string;
        };
        /** @description Where the next window of a table and direction begins. */
        readonly DbSavedEnd: {
            readonly table: components["schemas"]["TableName"];
            readonly direction: components["schemas"]["DbDirection"];
            /**
             * Format: date-time
             * @description End of the last complete window; null before the first.
             */
            readonly end: string | null;
            /** @description A window that a run has left half done, with which the next one begins; left out where there is none. */
            readonly open?: {
                readonly window: components["schemas"]["DbWindow"];
                /** @description Parts of it that are done. */
                readonly done: number;
                /** @description All parts of it. */
                readonly total: number;
            };
        };
        /** @description A pair of the configuration. */
        readonly DbPairStatus: {
            readonly name: components["schemas"]["PairName"];
            readonly left: components["schemas"]["DbSideStatus"];
            readonly right: components["schemas"]["DbSideStatus"];
            /** @description Its tables; `all` that the stores have, or these. */
            readonly tables: "all" | components["schemas"]["TableNames"];
            /**
             * @description Where its syncs are carried out, in the process of the service, or by workers in Pods.
             * @enum {string}
             */
            readonly execution: "process" | "kubernetes-job";
            /** @description Sorted by table and direction; none before the first complete window. */
            readonly savedEnds: readonly components["schemas"]["DbSavedEnd"][];
            /** @description Rows that wait to be tried again with the next run; null when it cannot be read right now. */
            readonly deadLetters: number | null;
            readonly lastRun: components["schemas"]["LastRun"];
            /** @description Why what is kept of the pair cannot be read right now; left out when all is well. */
            readonly problem?: string;
        };
        /** @description The database sync of this service. */
        readonly DbStatus: {
            /** @description The pairs, as the configuration has them. */
            readonly pairs: readonly components["schemas"]["DbPairStatus"][];
        };
        /** @description The newest run; null when there was none, or it is forgotten. */
        readonly LastRun: components["schemas"]["RunOutline"] | null;
        /** @description What is started by the clock. */
        readonly ScheduleStatus: {
            /** @description `tokens`, or `db:PAIR`. */
            readonly name: string;
            /** @description When, as a cron expression. */
            readonly cron: string;
            /** @description Time zone of the expression. */
            readonly timeZone: string;
            /**
             * Format: date-time
             * @description When the next run comes; null when none does, or when another replica of the service leads.
             */
            readonly nextAt: string | null;
            readonly lastRun: components["schemas"]["LastRun"];
            /** @description Ticks without a run since the start, because the run before was still under way. */
            readonly missed: number;
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
        /** @description Verdicts given in a step, by their word. */
        readonly VerdictsOfStep: {
            /** @description Every replica had it. */
            readonly Synced: number;
            /** @description More than half of the replicas had it. */
            readonly Partialy: number;
            /** @description Half of the replicas or fewer had it. */
            readonly NotSynced: number;
            /** @description The state of some replica could not be found out in time. */
            readonly Timeout: number;
        };
        /** @description What happened in one step. */
        readonly HistoryStep: {
            /**
             * Format: date-time
             * @description When the step began.
             */
            readonly startedAt: string;
            readonly checks: components["schemas"]["VerdictsOfStep"];
            /** @description Replication lag of the tokens that arrived in it, at most 5 % too much; null when none did. */
            readonly lag: components["schemas"]["Lag"] | null;
        };
        /** @description What this instance saw of the gateway, step by step. */
        readonly GatewayHistory: {
            /** @description How long a step is, in milliseconds. */
            readonly stepMs: number;
            /** @description The steps, the oldest first, without gaps; the last one is not over yet. */
            readonly items: readonly components["schemas"]["HistoryStep"][];
        };
        /** @description Who asked, and what they may do here. */
        readonly CallerStatus: {
            /** @description What the service calls them. */
            readonly name: string;
            /** @description Their scopes. */
            readonly scopes: readonly ("synced" | "read" | "tokens" | "db")[];
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
            readonly caller?: components["schemas"]["CallerStatus"];
            readonly leader: components["schemas"]["LeaderStatus"];
            readonly gateway?: components["schemas"]["GatewayStatus"];
            readonly tokens?: components["schemas"]["TokensStatus"];
            readonly db?: components["schemas"]["DbStatus"];
            /** @description What is started by the clock, sorted by name; there where runs are. */
            readonly schedules?: readonly components["schemas"]["ScheduleStatus"][];
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
            /** @description The run that stands in the way. */
            readonly run?: {
                readonly id: components["schemas"]["RunId"];
                readonly state: components["schemas"]["RunState"];
                /**
                 * Format: uri-reference
                 * @description Where it is.
                 */
                readonly href: string;
            };
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
        /** @description There is no such run, or none any more; or the service has no runs at all (`not-configured`). */
        readonly NoSuchRun: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body has more than 64 KiB. */
        readonly PayloadTooLarge: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not `application/json`. */
        readonly UnsupportedMediaType: {
            headers: {
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service is stopping, its state cannot be reached, or the credentials could not be checked right now. */
        readonly RunsUnavailable: {
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
        /**
         * @description `wait=N` (RFC 7240) waits up to N seconds for the end of the run; more than 60 count as 60. Other preferences are ignored.
         * @example wait=10
         */
        readonly Prefer: string;
        /**
         * @description Made up by the caller for one request. The same request with the same key is answered with the same run, as long as that is kept.
         * @example 5f2c9b1e-nightly
         */
        readonly IdempotencyKey: string;
        /**
         * @description Number of the last item that has arrived; only items after it come. Browsers send it by themselves.
         * @example 42
         */
        readonly LastEventId: string;
        /**
         * @description Id of a run.
         * @example 019b76da-a800-7b3c-9d51-0f7c3f6d2e10
         */
        readonly RunId: string;
        /**
         * @description How many a page has at most.
         * @example 100
         */
        readonly Limit: number;
        /**
         * @description Where the page begins, `nextCursor` of the page before it.
         * @example eyJhZnRlciI6ImFwcC0xIn0
         */
        readonly Cursor: string;
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
         * @description The answer is true for the moment only.
         * @example no-store
         */
        readonly "Cache-Control": "no-store";
        /**
         * @description Seconds after which to try again.
         * @example 1
         */
        readonly "Retry-After": number;
        /**
         * @description The run.
         * @example /v1/runs/019b76da-a800-7b3c-9d51-0f7c3f6d2e10
         */
        readonly RunLocation: string;
        /**
         * @description Tells nginx to let events through as they come.
         * @example no
         */
        readonly "X-Accel-Buffering": "no";
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
    readonly getGatewayHistory: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The steps since the start, as far back as a quarter of an hour. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["GatewayHistory"];
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
    readonly syncTokens: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /**
                 * @description `wait=N` (RFC 7240) waits up to N seconds for the end of the run; more than 60 count as 60. Other preferences are ignored.
                 * @example wait=10
                 */
                readonly Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description Made up by the caller for one request. The same request with the same key is answered with the same run, as long as that is kept.
                 * @example 5f2c9b1e-nightly
                 */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        /** @description What to sync and how. */
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": components["schemas"]["SyncTokensRequest"];
            };
        };
        readonly responses: {
            /** @description The run has ended within the time that `Prefer` gave it; `state` says how. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    /**
                     * @description The preference that was heeded, as RFC 7240 has it; left out where none was.
                     * @example wait=10
                     */
                    readonly "Preference-Applied"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The run is accepted, and has not ended yet as far as this answer knows. */
            readonly 202: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    readonly "Retry-After": components["headers"]["Retry-After"];
                    /**
                     * @description The preference that was heeded, as RFC 7240 has it; left out where none was.
                     * @example wait=10
                     */
                    readonly "Preference-Applied"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The request is malformed, or names clusters that are not configured or are fewer than two; `errors` says where. */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotConfigured"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            /** @description A run of the same kind is under way on one of the same clusters; `Location` and `run` say which. */
            readonly 409: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 413: components["responses"]["PayloadTooLarge"];
            readonly 415: components["responses"]["UnsupportedMediaType"];
            /** @description The `Idempotency-Key` belongs to another request, or `plan` names no plan that can be carried out. */
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
            readonly 503: components["responses"]["RunsUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly syncDb: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /**
                 * @description `wait=N` (RFC 7240) waits up to N seconds for the end of the run; more than 60 count as 60. Other preferences are ignored.
                 * @example wait=10
                 */
                readonly Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description Made up by the caller for one request. The same request with the same key is answered with the same run, as long as that is kept.
                 * @example 5f2c9b1e-nightly
                 */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        /** @description What to sync. */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SyncDbRequest"];
            };
        };
        readonly responses: {
            /** @description The run has ended within the time that `Prefer` gave it; `state` says how. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    /**
                     * @description The preference that was heeded, as RFC 7240 has it; left out where none was.
                     * @example wait=10
                     */
                    readonly "Preference-Applied"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The run is accepted, and has not ended yet as far as this answer knows. */
            readonly 202: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    readonly "Retry-After": components["headers"]["Retry-After"];
                    /**
                     * @description The preference that was heeded, as RFC 7240 has it; left out where none was.
                     * @example wait=10
                     */
                    readonly "Preference-Applied"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The request is malformed, names a pair or a table that is not configured, or a time that is none; `errors` says where. */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotConfigured"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            /** @description A run of the same kind is under way on the same pair; `Location` and `run` say which. */
            readonly 409: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 413: components["responses"]["PayloadTooLarge"];
            readonly 415: components["responses"]["UnsupportedMediaType"];
            /** @description The `Idempotency-Key` belongs to another request. */
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
            readonly 503: components["responses"]["RunsUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly verifyDb: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /**
                 * @description `wait=N` (RFC 7240) waits up to N seconds for the end of the run; more than 60 count as 60. Other preferences are ignored.
                 * @example wait=10
                 */
                readonly Prefer?: components["parameters"]["Prefer"];
                /**
                 * @description Made up by the caller for one request. The same request with the same key is answered with the same run, as long as that is kept.
                 * @example 5f2c9b1e-nightly
                 */
                readonly "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        /** @description What to compare. */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["VerifyDbRequest"];
            };
        };
        readonly responses: {
            /** @description The run has ended within the time that `Prefer` gave it; `state` says how. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    /**
                     * @description The preference that was heeded, as RFC 7240 has it; left out where none was.
                     * @example wait=10
                     */
                    readonly "Preference-Applied"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The run is accepted, and has not ended yet as far as this answer knows. */
            readonly 202: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    readonly "Retry-After": components["headers"]["Retry-After"];
                    /**
                     * @description The preference that was heeded, as RFC 7240 has it; left out where none was.
                     * @example wait=10
                     */
                    readonly "Preference-Applied"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The request is malformed, names a pair or a table that is not configured, or a time that is none; `errors` says where. */
            readonly 400: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotConfigured"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            /** @description A run of the same kind is under way on the same pair; `Location` and `run` say which. */
            readonly 409: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 413: components["responses"]["PayloadTooLarge"];
            readonly 415: components["responses"]["UnsupportedMediaType"];
            /** @description The `Idempotency-Key` belongs to another request. */
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
            readonly 503: components["responses"]["RunsUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly listRuns: {
        readonly parameters: {
            readonly query?: {
                /**
                 * @description Only runs of this kind.
                 * @example tokens
                 */
                readonly kind?: components["schemas"]["RunKind"];
                /**
                 * @description Only runs in this state.
                 * @example failed
                 */
                readonly state?: components["schemas"]["RunState"];
                /**
                 * @description How many a page has at most.
                 * @example 100
                 */
                readonly limit?: components["parameters"]["Limit"];
                /**
                 * @description Where the page begins, `nextCursor` of the page before it.
                 * @example eyJhZnRlciI6ImFwcC0xIn0
                 */
                readonly cursor?: components["parameters"]["Cursor"];
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of runs. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["RunPage"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotConfigured"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["RunsUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly getRun: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /**
                 * @description Id of a run.
                 * @example 019b76da-a800-7b3c-9d51-0f7c3f6d2e10
                 */
                readonly id: components["parameters"]["RunId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The run. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    /**
                     * @description Seconds after which to ask again; it is there while the run has not ended.
                     * @example 1
                     */
                    readonly "Retry-After"?: number;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NoSuchRun"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["RunsUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly cancelRun: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /**
                 * @description Id of a run.
                 * @example 019b76da-a800-7b3c-9d51-0f7c3f6d2e10
                 */
                readonly id: components["parameters"]["RunId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The run has ended. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The run will end. */
            readonly 202: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly Location: components["headers"]["RunLocation"];
                    readonly "Retry-After": components["headers"]["Retry-After"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Run"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NoSuchRun"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 413: components["responses"]["PayloadTooLarge"];
            readonly 415: components["responses"]["UnsupportedMediaType"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["RunsUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly listRunItems: {
        readonly parameters: {
            readonly query?: {
                /**
                 * @description Only items that came out so.
                 * @example failed
                 */
                readonly status?: components["schemas"]["ItemStatus"];
                /**
                 * @description How many a page has at most.
                 * @example 100
                 */
                readonly limit?: components["parameters"]["Limit"];
                /**
                 * @description Where the page begins, `nextCursor` of the page before it.
                 * @example eyJhZnRlciI6ImFwcC0xIn0
                 */
                readonly cursor?: components["parameters"]["Cursor"];
            };
            readonly header?: never;
            readonly path: {
                /**
                 * @description Id of a run.
                 * @example 019b76da-a800-7b3c-9d51-0f7c3f6d2e10
                 */
                readonly id: components["parameters"]["RunId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of items. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["RunItemPage"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NoSuchRun"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["RunsUnavailable"];
            readonly default: components["responses"]["ConnectionError"];
        };
    };
    readonly streamRunEvents: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /**
                 * @description Number of the last item that has arrived; only items after it come. Browsers send it by themselves.
                 * @example 42
                 */
                readonly "Last-Event-ID"?: components["parameters"]["LastEventId"];
            };
            readonly path: {
                /**
                 * @description Id of a run.
                 * @example 019b76da-a800-7b3c-9d51-0f7c3f6d2e10
                 */
                readonly id: components["parameters"]["RunId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The events. */
            readonly 200: {
                headers: {
                    readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                    readonly "Cache-Control": components["headers"]["Cache-Control"];
                    readonly "X-Accel-Buffering": components["headers"]["X-Accel-Buffering"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/event-stream": components["schemas"]["RunEvent"];
                };
            };
            readonly 400: components["responses"]["BadRequest"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NoSuchRun"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["RunsUnavailable"];
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
            readonly 503: components["responses"]["RunsUnavailable"];
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
