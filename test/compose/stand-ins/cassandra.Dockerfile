# In place of cassandra: the same jars, Java and user where that image has them.
FROM wardline-stand-in/debian
RUN apt-get update && apt-get install --yes --no-install-recommends openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists/* && mkdir -p /opt/java \
 && ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /opt/java/openjdk \
 && groupadd --gid 999 cassandra && useradd --uid 999 --gid 999 cassandra
ENV JAVA_HOME=/opt/java/openjdk
COPY jars /opt/cassandra/lib
