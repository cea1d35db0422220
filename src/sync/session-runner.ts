/** Holds the state of a pure session and performs its effects. An event that an effect brings about waits its turn. */
export class SessionRunner<State, Event, Effect> {
  #state: State;
  readonly #step: (state: State, event: Event) => { readonly state: State; readonly effects: readonly Effect[] };
  readonly #perform: (effect: Effect) => void;
  readonly #waiting: Event[] = [];
  #isRunning = false;

  constructor(
    initial: State,
    step: (state: State, event: Event) => { readonly state: State; readonly effects: readonly Effect[] },
    perform: (effect: Effect) => void,
  ) {
    this.#state = initial;
    this.#step = step;
    this.#perform = perform;
  }

  get state(): State {
    return this.#state;
  }

  dispatch(event: Event): void {
    this.#waiting.push(event);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const { state, effects } = this.#step(this.#state, next);
        this.#state = state;
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#isRunning = false;
    }
  }
}
