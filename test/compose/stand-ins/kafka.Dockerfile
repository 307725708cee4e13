# In place of apache/kafka: the same jars, Java and user where that image has them.
FROM wardline-stand-in/debian
RUN apt-get update && apt-get install --yes --no-install-recommends openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists/* && mkdir -p /opt/java \
 && ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /opt/java/openjdk \
 && useradd --uid 1000 --user-group appuser && mkdir -p /opt/kafka/logs
COPY jars /opt/kafka/libs
USER appuser
