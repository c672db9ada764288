# One image for every role; the command says which: `node dist/gateway/main.js`, `dist/command-api/main.js`, ...
# `docker build -t shopledger .`
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No package needs its install script: those with native code bring it ready-made for this platform.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# Emits and checks the types; what only tests need stays behind.
RUN node scripts/build.mjs \
  && rm -rf dist/test dist/bench \
  && find dist \( -name '*.spec.js*' -o -name '*-fixture.js*' -o -name '.*' -type f \) -delete

FROM node:20-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The compiler is a dependency of a checkout, which builds itself; an image is built already.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/typescript node_modules/.bin

FROM node:20-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY cli/shopledger.mjs cli/
COPY scripts/build.mjs scripts/
COPY --from=build /app/dist dist
# Where the sandbox payment provider keeps its ledger: a volume takes its owner from here.
RUN mkdir /data && chown node:node /data
USER node
STOPSIGNAL SIGTERM
CMD ["node", "--enable-source-maps", "dist/gateway/main.js"]
