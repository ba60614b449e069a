// Hooks: a run that is followed while a view shows it, and something that is asked for by a button, once at a time.
/** @import { Page } from '../app.js' */
/** @import { FollowedRun } from '../model/events.js' */
import { describeError } from '../io/api.js'
import { followRun } from '../io/follow.js'
import { useEffect, useState } from '../vendor/hooks.js'

/**
 * The run as far as it is known by now; follows it as long as the view is there.
 * @param {Page} page
 * @param {string} id
 */
export function useRun(page, id) {
  const [followed, setFollowed] = useState(/** @type {FollowedRun | undefined} */ (undefined))
  const [complaint, setComplaint] = useState(/** @type {string | undefined} */ (undefined))
  useEffect(() => {
    const leaving = new AbortController()
    /** @type {FollowedRun | undefined} */
    let newest
    // Thousands of items may come at once: it is drawn once a frame.
    const draw = () => {
      if (!leaving.signal.aborted) setFollowed(newest)
      newest = undefined
    }
    /** @param {FollowedRun} next */
    const onChange = (next) => {
      if (newest === undefined) setTimeout(draw, 50)
      newest = next
    }
    followRun(page.api, id, { signal: leaving.signal, now: Date.now, onChange }).catch((error) =>
      setComplaint(describeError(error)),
    )
    return () => leaving.abort()
  }, [id])
  return { followed, complaint }
}

/**
 * Does something when it is asked to, once at a time; tells what went wrong.
 * @param {Page} page
 */
export function useAction(page) {
  const [busy, setBusy] = useState(false)
  const [complaint, setComplaint] = useState(/** @type {string | undefined} */ (undefined))
  /** @param {() => Promise<void>} act */
  const run = async (act) => {
    if (busy) return
    setBusy(true)
    setComplaint(undefined)
    try {
      await act()
      page.askNow()
    } catch (error) {
      setComplaint(describeError(error))
    } finally {
      setBusy(false)
    }
  }
  return { busy, complaint, run }
}
