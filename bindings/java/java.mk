# The Java classes: bulla.jar in $(TARGET)/java, and its tests. Included from the top Makefile.

JV := bindings/java
JV_OUT := $(TARGET)/java
JV_JARS := /usr/share/java/jna.jar:/usr/share/java/gson.jar
# Java 8 is the oldest that desktops still have.
JV_C := javac --release 8 -Xlint:all,-options -Werror -encoding UTF-8
JV_RUN := java -Djna.boot.library.path=$(subst $() ,:,$(wildcard /usr/lib/*/jni))

.PHONY: java test-java

java:
	sh $(C)/need.sh javac=openjdk-17-jdk-headless /usr/share/java/jna.jar=libjna-java \
		/usr/share/java/gson.jar=libgoogle-gson-java
	rm -rf $(JV_OUT)/classes $(JV_OUT)/tests
	mkdir -p $(JV_OUT)/tests
	$(JV_C) -cp $(JV_JARS) -d $(JV_OUT)/classes $(JV)/src/bulla/*.java
	jar --create --file $(JV_OUT)/bulla.jar -C $(JV_OUT)/classes .

test-java: java
	sh $(C)/need.sh cc=gcc python3=python3
	$(CARGO) build --quiet --bin bulla
	$(CARGO) build --quiet --package bulla-capi
	rm -rf $(JV_OUT)/doc
	javadoc -quiet -Xdoclint:all -Werror -encoding UTF-8 -cp $(JV_JARS) -d $(JV_OUT)/doc \
		$(JV)/src/bulla/*.java
	$(JV_C) -cp $(JV_JARS):$(JV_OUT)/bulla.jar -d $(JV_OUT)/tests $(JV)/tests/bulla/*.java
	BULLA_LIBRARY=$(TARGET)/debug/libbulla.so $(JV_RUN) \
		-Doffice=bindings/interop/office.sh -Dcommand=$(TARGET)/debug/bulla \
		-cp $(JV_JARS):$(JV_OUT)/bulla.jar:$(JV_OUT)/tests bulla.Tests
	BULLA_LIBRARY=$(TARGET)/debug/libbulla.so python3 bindings/interop/snippets.py \
		$(TARGET)/debug/bulla java README.md docs/java.md \
		-- $(JV_C) -cp $(JV_JARS):$(JV_OUT)/bulla.jar {} \
		-- $(JV_RUN) -cp $(JV_JARS):$(JV_OUT)/bulla.jar:. {}
