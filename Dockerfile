# The gateway as one small image: JavaScript, production modules and the catalogue, run by an unprivileged user.
# Nothing is written but under /data, so the root may be read-only.

FROM node:24-bookworm-slim AS modules
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

# Types are stripped here rather than at each start: that saves memory and time in every container.
FROM modules AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npx tsc -p tsconfig.build.json

FROM node:24-bookworm-slim
ENV NODE_ENV=production PLANTAIN_HOST=0.0.0.0 PLANTAIN_ADMIN_HOST=0.0.0.0
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=modules /app/node_modules node_modules
COPY config config
COPY --from=build /app/dist dist
# The configuration's ./data is /data, so that volumes lie beside the program and not inside it.
RUN mkdir -p /data/spill /data/assets && chown -R node:node /data && ln -s /data data
USER node
VOLUME ["/data/spill", "/data/assets"]
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# Each check starts a Node: a third of a second of CPU. (Newer engines ask every 5 s while it starts, by themselves.)
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["node", "dist/commands.js", "healthcheck"]
# As `npm start` does: more would cost memory, less would cost CPU.
CMD ["node", "--max-semi-space-size=16", "dist/main.js"]
