// The update rules of optimizers.py, those of beyond_adam.py that act on each coordinate alone, and a source of random
// numbers, for the scripts of the pages: the playground walks on two coordinates with them, the bench trains a network's
// thousands of weights. One copy for both, which each gets by calling it.

globalThis.optimizerRules ??= () => {
  "use strict";

  // As in Python, one line for each line of the equations, for each coordinate of theta, an array of floats. Unlike
  // there, a step changes theta and the state in place.
  const EPSILON = 1e-7;
  const INITIAL_ACCUMULATOR_VALUE = 0.1;
  const zeros_like = (theta) => new theta.constructor(theta.length);

  const RULES = {
    SGD: {
      init: () => ({}),
      step(theta, g, state, { learning_rate }) {
        for (let i = 0; i < theta.length; i++) {
          theta[i] -= learning_rate * g[i];
        }
      },
    },
    Momentum: {
      init: (theta) => ({ v: zeros_like(theta) }),
      step(theta, g, { v }, { learning_rate, momentum }) {
        for (let i = 0; i < theta.length; i++) {
          v[i] = momentum * v[i] - learning_rate * g[i];
          theta[i] += v[i];
        }
      },
    },
    Nesterov: {
      init: (theta) => ({ v: zeros_like(theta) }),
      step(theta, g, { v }, { learning_rate, momentum }) {
        for (let i = 0; i < theta.length; i++) {
          v[i] = momentum * v[i] - learning_rate * g[i];
          theta[i] = theta[i] + momentum * v[i] - learning_rate * g[i];
        }
      },
    },
    Adagrad: {
      init: (theta) => ({ G: zeros_like(theta).fill(INITIAL_ACCUMULATOR_VALUE) }),
      step(theta, g, { G }, { learning_rate }) {
        for (let i = 0; i < theta.length; i++) {
          G[i] = G[i] + g[i] ** 2;
          theta[i] -= learning_rate * g[i] / Math.sqrt(G[i] + EPSILON);
        }
      },
    },
    RMSprop: {
      init: (theta) => ({ s: zeros_like(theta) }),
      step(theta, g, { s }, { learning_rate, rho }) {
        for (let i = 0; i < theta.length; i++) {
          s[i] = rho * s[i] + (1 - rho) * g[i] ** 2;
          theta[i] -= learning_rate * g[i] / Math.sqrt(s[i] + EPSILON);
        }
      },
    },
    Adam: {
      init: (theta) => ({ m: zeros_like(theta), v: zeros_like(theta), t: 0 }),
      step(theta, g, state, { learning_rate, beta_1, beta_2 }) {
        const { m, v } = state, t = state.t += 1;
        const alpha_t = learning_rate * (1 - beta_2 ** t) ** 0.5 / (1 - beta_1 ** t);
        for (let i = 0; i < theta.length; i++) {
          m[i] = beta_1 * m[i] + (1 - beta_1) * g[i];
          v[i] = beta_2 * v[i] + (1 - beta_2) * g[i] ** 2;
          theta[i] -= alpha_t * m[i] / (Math.sqrt(v[i]) + EPSILON);
        }
      },
    },
    AdamW: {
      init: (theta) => ({ m: zeros_like(theta), v: zeros_like(theta), t: 0 }),
      step(theta, g, state, { learning_rate, weight_decay, beta_1, beta_2 }) {
        const { m, v } = state, t = state.t += 1;
        const alpha_t = learning_rate * (1 - beta_2 ** t) ** 0.5 / (1 - beta_1 ** t);
        for (let i = 0; i < theta.length; i++) {
          m[i] = beta_1 * m[i] + (1 - beta_1) * g[i];
          v[i] = beta_2 * v[i] + (1 - beta_2) * g[i] ** 2;
          const decay = learning_rate * weight_decay * theta[i];
          theta[i] -= decay + alpha_t * m[i] / (Math.sqrt(v[i]) + EPSILON);
        }
      },
    },
    Nadam: {
      init: (theta) => ({ m: zeros_like(theta), v: zeros_like(theta), product: 1, t: 0 }),
      step(theta, g, state, { learning_rate, beta_1, beta_2 }) {
        const { m, v } = state, t = state.t += 1;
        const mu = beta_1 * (1 - 0.96 ** t / 2), next_mu = beta_1 * (1 - 0.96 ** (t + 1) / 2);
        const product = state.product *= mu;
        for (let i = 0; i < theta.length; i++) {
          m[i] = beta_1 * m[i] + (1 - beta_1) * g[i];
          v[i] = beta_2 * v[i] + (1 - beta_2) * g[i] ** 2;
          const m_hat = next_mu / (1 - product * next_mu) * m[i] + (1 - mu) / (1 - product) * g[i];
          theta[i] -= learning_rate * m_hat / (Math.sqrt(v[i] / (1 - beta_2 ** t)) + EPSILON);
        }
      },
    },
    Adamax: {
      init: (theta) => ({ m: zeros_like(theta), u: zeros_like(theta), t: 0 }),
      step(theta, g, state, { learning_rate, beta_1, beta_2 }) {
        const { m, u } = state, t = state.t += 1;
        for (let i = 0; i < theta.length; i++) {
          m[i] = beta_1 * m[i] + (1 - beta_1) * g[i];
          u[i] = Math.max(beta_2 * u[i], Math.abs(g[i]));
          theta[i] -= learning_rate / (1 - beta_1 ** t) * m[i] / (u[i] + EPSILON);
        }
      },
    },
    Adadelta: {
      init: (theta) => ({ s: zeros_like(theta), d: zeros_like(theta) }),
      step(theta, g, { s, d }, { learning_rate, rho }) {
        for (let i = 0; i < theta.length; i++) {
          s[i] = rho * s[i] + (1 - rho) * g[i] ** 2;
          const delta = -Math.sqrt(d[i] + EPSILON) * g[i] / Math.sqrt(s[i] + EPSILON);
          d[i] = rho * d[i] + (1 - rho) * delta ** 2;
          theta[i] += learning_rate * delta;
        }
      },
    },
    Yogi: {
      init: (theta) => ({ m: zeros_like(theta), v: zeros_like(theta).fill(1e-6), t: 0 }),
      step(theta, g, state, { learning_rate, beta_1, beta_2 }) {
        const { m, v } = state, t = state.t += 1;
        const alpha_t = learning_rate / (1 - beta_1 ** t);
        for (let i = 0; i < theta.length; i++) {
          m[i] = beta_1 * m[i] + (1 - beta_1) * g[i];
          v[i] = v[i] - (1 - beta_2) * Math.sign(v[i] - g[i] ** 2) * g[i] ** 2;
          theta[i] -= alpha_t * m[i] / (Math.sqrt(v[i] / (1 - beta_2 ** t)) + 1e-3);
        }
      },
    },
    Lion: {
      init: (theta) => ({ m: zeros_like(theta) }),
      step(theta, g, { m }, { learning_rate, weight_decay, beta_1, beta_2 }) {
        for (let i = 0; i < theta.length; i++) {
          const direction = Math.sign(beta_1 * m[i] + (1 - beta_1) * g[i]);
          theta[i] -= learning_rate * weight_decay * theta[i] + learning_rate * direction;
          m[i] = beta_2 * m[i] + (1 - beta_2) * g[i];
        }
      },
    },
    ScheduleFreeSGD: {
      init: (theta) => ({ z: theta.slice(), x: theta.slice(), t: 0 }),
      step(theta, g, state, { learning_rate, beta_1 }) {
        const { z, x } = state, t = state.t += 1;
        for (let i = 0; i < theta.length; i++) {
          z[i] -= learning_rate * g[i];
          x[i] = (1 - 1 / t) * x[i] + z[i] / t;
          theta[i] = (1 - beta_1) * z[i] + beta_1 * x[i];
        }
      },
    },
    ScheduleFreeAdamW: {
      init: (theta) => ({ z: theta.slice(), x: theta.slice(), v: zeros_like(theta), t: 0 }),
      step(theta, g, state, { learning_rate, beta_1, beta_2 }) {
        const { z, x, v } = state, t = state.t += 1;
        for (let i = 0; i < theta.length; i++) {
          v[i] = beta_2 * v[i] + (1 - beta_2) * g[i] ** 2;
          z[i] -= learning_rate * g[i] / (Math.sqrt(v[i] / (1 - beta_2 ** t)) + 1e-8);
          x[i] = (1 - 1 / t) * x[i] + z[i] / t;
          theta[i] = (1 - beta_1) * z[i] + beta_1 * x[i];
        }
      },
    },
  };

  // Returns a function that draws from between 0 and 1: Marsaglia's xorshift (2003), as in Python beside both scripts.
  function uniforms(seed) {
    let bits = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
    return () => {
      bits ^= bits << 13;
      bits ^= bits >>> 17;
      bits ^= bits << 5;
      return ((bits >>> 0) - 0.5) / 2 ** 32;
    };
  }

  return { RULES, uniforms };
};
