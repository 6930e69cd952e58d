-- CreateEnum
CREATE TYPE "AssetStatus" AS ENUM ('PENDING', 'GENERATING', 'AVAILABLE', 'FAILED');

-- CreateEnum
CREATE TYPE "RequestStatus" AS ENUM ('PENDING', 'COMPLETED', 'FAILED');

-- CreateTable
CREATE TABLE "User" (
    "id" BIGINT NOT NULL,
    "language" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "VideoAsset" (
    "id" TEXT NOT NULL DEFAULT (gen_random_uuid())::text,
    "template" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "display" TEXT NOT NULL,
    "say" TEXT,
    "status" "AssetStatus" NOT NULL DEFAULT 'PENDING',
    "generation" INTEGER NOT NULL DEFAULT 1,
    "leaseOwner" TEXT,
    "leaseUntil" TIMESTAMPTZ(3),
    "queuedAt" TIMESTAMPTZ(3),
    "revision" TEXT,
    "templateRevision" TEXT,
    "telegramFileId" TEXT,
    "telegramFileUniqueId" TEXT,
    "telegramBotId" BIGINT,
    "storageChatId" BIGINT,
    "storageMessageId" INTEGER,
    "verifiedAt" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "errorClass" TEXT,
    "errorText" TEXT,
    "retryAfter" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "availableAt" TIMESTAMPTZ(3),

    CONSTRAINT "VideoAsset_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "UserRequest" (
    "id" TEXT NOT NULL DEFAULT (gen_random_uuid())::text,
    "status" "RequestStatus" NOT NULL DEFAULT 'PENDING',
    "userId" BIGINT NOT NULL,
    "assetId" TEXT NOT NULL,
    "chatId" BIGINT NOT NULL,
    "language" TEXT NOT NULL,
    "noteMessageId" INTEGER,
    "botId" BIGINT NOT NULL,
    "updateId" INTEGER NOT NULL,
    "hit" BOOLEAN NOT NULL DEFAULT false,
    "claimOwner" TEXT,
    "claimUntil" TIMESTAMPTZ(3),
    "errorText" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "UserRequest_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AssetCount" (
    "id" BIGSERIAL NOT NULL,
    "status" "AssetStatus" NOT NULL,
    "template" TEXT NOT NULL,
    "templateRevision" TEXT,
    "count" INTEGER NOT NULL,

    CONSTRAINT "AssetCount_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RequestCount" (
    "id" BIGSERIAL NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "status" "RequestStatus" NOT NULL,
    "hit" BOOLEAN NOT NULL,
    "waitBucket" INTEGER,
    "count" INTEGER NOT NULL,

    CONSTRAINT "RequestCount_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Installation" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "queueId" TEXT NOT NULL DEFAULT substr(replace((gen_random_uuid())::text, '-'::text, ''::text), 1, 12),
    "botId" BIGINT,
    "queueShortSince" TIMESTAMPTZ(3),
    "repeatedUploads" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Installation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "FloodBucket" (
    "key" TEXT NOT NULL,
    "nextAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "restUntil" TIMESTAMPTZ(3),
    "halvedUntil" TIMESTAMPTZ(3),
    "posts" TIMESTAMPTZ(3)[] DEFAULT ARRAY[]::TIMESTAMPTZ(3)[],
    "peopleUntil" TIMESTAMPTZ(3),

    CONSTRAINT "FloodBucket_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "Outage" (
    "step" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Outage_pkey" PRIMARY KEY ("step")
);

-- CreateTable
CREATE TABLE "WorkerProcess" (
    "id" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "concurrency" INTEGER NOT NULL,
    "rendering" INTEGER NOT NULL DEFAULT 0,
    "uploading" INTEGER NOT NULL DEFAULT 0,
    "startedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "seenAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "WorkerProcess_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "VideoAsset_status_queuedAt_idx" ON "VideoAsset"("status", "queuedAt");

-- CreateIndex
CREATE UNIQUE INDEX "VideoAsset_template_name_key" ON "VideoAsset"("template", "name");

-- CreateIndex
CREATE INDEX "UserRequest_userId_status_idx" ON "UserRequest"("userId", "status");

-- CreateIndex
CREATE INDEX "UserRequest_assetId_status_createdAt_idx" ON "UserRequest"("assetId", "status", "createdAt");

-- CreateIndex
CREATE INDEX "UserRequest_createdAt_idx" ON "UserRequest"("createdAt");

-- CreateIndex
CREATE INDEX "RequestCount_hour_idx" ON "RequestCount"("hour");

-- CreateIndex
CREATE UNIQUE INDEX "UserRequest_botId_updateId_userId_key" ON "UserRequest"("botId", "updateId", "userId");

-- AddForeignKey
ALTER TABLE "UserRequest" ADD CONSTRAINT "UserRequest_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "UserRequest" ADD CONSTRAINT "UserRequest_assetId_fkey" FOREIGN KEY ("assetId") REFERENCES "VideoAsset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What the Prisma schema cannot express:

-- One person waits at most once for one asset.
CREATE UNIQUE INDEX "UserRequest_pending_key" ON "UserRequest"("chatId", "assetId") WHERE "status" = 'PENDING';

-- Who has waited longest; how many wait. Stays small, however many requests were served.
CREATE INDEX "UserRequest_pending_idx" ON "UserRequest"("createdAt") WHERE "status" = 'PENDING';

-- What failed, by cause. Stays small beside a large cache.
CREATE INDEX "VideoAsset_failed_idx" ON "VideoAsset"("errorClass") WHERE "status" = 'FAILED';

-- Which id to look at next.
CREATE INDEX "VideoAsset_verified_idx" ON "VideoAsset"("verifiedAt" NULLS FIRST, "id") WHERE "telegramFileId" IS NOT NULL;

-- The class of a waiting time: four to each doubling, from 0.01 s (class 0) to two days (class 95).
CREATE FUNCTION "waitBucket"(wait INTERVAL) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT least(95, floor(4 * ln(greatest(extract(epoch FROM wait)::float8, 0.01) / 0.01) / ln(2)))::int $$;

-- Counting a million rows takes longer than anyone wants to wait for `status`. So each statement that changes
-- assets adds what it changed to "AssetCount", and each request that is finished is added to "RequestCount".
-- Rows are only ever added, so nobody waits for anybody.
CREATE FUNCTION "countAssets"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO "AssetCount" ("status", "template", "templateRevision", "count")
        SELECT "status", "template", "templateRevision", count(*) FROM after GROUP BY 1, 2, 3;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO "AssetCount" ("status", "template", "templateRevision", "count")
        SELECT "status", "template", "templateRevision", sum(n) FROM (
            SELECT "status", "template", "templateRevision", 1 AS n FROM after
            UNION ALL SELECT "status", "template", "templateRevision", -1 FROM before
        ) AS changed GROUP BY 1, 2, 3 HAVING sum(n) <> 0;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO "AssetCount" ("status", "template", "templateRevision", "count")
        SELECT "status", "template", "templateRevision", -count(*) FROM before GROUP BY 1, 2, 3;
    ELSE
        DELETE FROM "AssetCount";
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER "VideoAsset_inserted" AFTER INSERT ON "VideoAsset" REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION "countAssets"();
CREATE TRIGGER "VideoAsset_updated" AFTER UPDATE ON "VideoAsset" REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION "countAssets"();
CREATE TRIGGER "VideoAsset_deleted" AFTER DELETE ON "VideoAsset" REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION "countAssets"();
CREATE TRIGGER "VideoAsset_truncated" AFTER TRUNCATE ON "VideoAsset" FOR EACH STATEMENT EXECUTE FUNCTION "countAssets"();

CREATE FUNCTION "countRequest"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO "RequestCount" ("hour", "status", "hit", "waitBucket", "count")
    VALUES (date_trunc('hour', NEW."createdAt", 'UTC'), NEW."status", NEW."hit",
        CASE WHEN NEW."status" = 'COMPLETED' THEN "waitBucket"(NEW."finishedAt" - NEW."createdAt") END, 1);
    RETURN NULL;
END $$;

CREATE TRIGGER "UserRequest_finished" AFTER UPDATE ON "UserRequest" FOR EACH ROW WHEN (OLD."status" = 'PENDING' AND NEW."status" <> 'PENDING') EXECUTE FUNCTION "countRequest"();
CREATE TRIGGER "UserRequest_inserted" AFTER INSERT ON "UserRequest" FOR EACH ROW WHEN (NEW."status" <> 'PENDING') EXECUTE FUNCTION "countRequest"();

-- One installation per database.
ALTER TABLE "Installation" ADD CONSTRAINT "Installation_one_row" CHECK ("id" = 1);
