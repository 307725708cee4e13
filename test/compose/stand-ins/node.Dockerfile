# In place of node:24-bookworm-slim: Node and npm where that image has them.
FROM wardline-stand-in/debian
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY settings/ca.pem /usr/local/etc/ca.pem
COPY settings/npmrc /usr/local/etc/npmrc
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
