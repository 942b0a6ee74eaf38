# The collector as an image: its sources as they are, which Node 24 runs, and the built console. Run by a user that is not root.
# Build from the project's root: docker build -f deploy/containers/collector.Dockerfile -t causeway-collector .
# The base is pinned by its major version. A site that needs the same bytes every time pins the digest it has checked.

FROM node:24-slim AS console
WORKDIR /build
COPY package.json package-lock.json ./
# No install scripts: the image brings Node, and no dependency needs one.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY shared ./shared
COPY collector ./collector
COPY deploy/build-console.ts ./deploy/
RUN npm run build:console

FROM node:24-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
WORKDIR /opt/causeway
COPY package.json LICENSE ./
COPY --from=dependencies /build/node_modules ./node_modules
COPY shared ./shared
COPY collector ./collector
COPY --from=console /build/dist/console ./dist/console
COPY deploy/config/collector.json /etc/causeway/collector.json
RUN install -d -o node -g node -m 0700 /var/lib/causeway-collector
USER node
VOLUME /var/lib/causeway-collector
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:7420/-/healthy').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=16", "collector/main.ts"]
CMD ["--config", "/etc/causeway/collector.json", "--data", "/var/lib/causeway-collector", "--listen", "127.0.0.1:7420"]
