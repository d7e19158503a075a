/** Who waits for what: a lane for each thing, each in order of arrival. */

export interface InLane {
  /** The lower came earlier. */
  readonly arrival: number
  /** The lane it stands in. */
  need: string
}

export class Lanes<Waiter extends InLane> {
  /** None is empty. */
  readonly #lanes = new Map<string, Waiter[]>()

  get areEmpty(): boolean {
    return this.#lanes.size === 0
  }

  first(need: string): Waiter | undefined {
    return this.#lanes.get(need)?.[0]
  }

  /** Somebody who came before `arrival` and waits for one of these. */
  ahead(needs: readonly string[], arrival: number): Waiter | undefined {
    if (this.areEmpty) return undefined
    for (const need of needs) {
      const first = this.first(need)
      if (first && first.arrival < arrival) return first
    }
    return undefined
  }

  enter(waiter: Waiter): void {
    const lane = this.#lanes.get(waiter.need) ?? []
    const place = lane.findLastIndex(({ arrival }) => arrival < waiter.arrival) + 1
    lane.splice(place, 0, waiter)
    this.#lanes.set(waiter.need, lane)
  }

  /** @returns who is the first now, if the first has left. */
  leave(waiter: Waiter): Waiter | undefined {
    const lane = this.#lanes.get(waiter.need) ?? []
    const place = lane.indexOf(waiter)
    lane.splice(place, 1)
    if (lane.length === 0) this.#lanes.delete(waiter.need)
    return place === 0 ? lane[0] : undefined
  }
}
