-- AlterTable
ALTER TABLE "AssetCount" ADD COLUMN     "telegramBotId" BIGINT;

-- AlterTable
ALTER TABLE "Installation" ADD COLUMN     "botUsername" TEXT;

-- AlterTable
ALTER TABLE "VideoAsset" ADD COLUMN     "bytes" INTEGER;

-- AlterTable
ALTER TABLE "WorkerProcess" ADD COLUMN     "machine" TEXT;

-- CreateTable
CREATE TABLE "BotProcess" (
    "id" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "machine" TEXT,
    "mode" TEXT NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "seenAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "BotProcess_pkey" PRIMARY KEY ("id")
);

-- Videos are counted by the bot they belong to as well: another bot's are worth nothing to this one.
LOCK TABLE "VideoAsset" IN SHARE ROW EXCLUSIVE MODE;

CREATE OR REPLACE FUNCTION "countAssets"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO "AssetCount" ("status", "template", "templateRevision", "telegramBotId", "count")
        SELECT "status", "template", "templateRevision", CASE WHEN "telegramFileId" IS NOT NULL THEN "telegramBotId" END, count(*) FROM after GROUP BY 1, 2, 3, 4;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO "AssetCount" ("status", "template", "templateRevision", "telegramBotId", "count")
        SELECT "status", "template", "templateRevision", bot, sum(n) FROM (
            SELECT "status", "template", "templateRevision", CASE WHEN "telegramFileId" IS NOT NULL THEN "telegramBotId" END AS bot, 1 AS n FROM after
            UNION ALL SELECT "status", "template", "templateRevision", CASE WHEN "telegramFileId" IS NOT NULL THEN "telegramBotId" END, -1 FROM before
        ) AS changed GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO "AssetCount" ("status", "template", "templateRevision", "telegramBotId", "count")
        SELECT "status", "template", "templateRevision", CASE WHEN "telegramFileId" IS NOT NULL THEN "telegramBotId" END, -count(*) FROM before GROUP BY 1, 2, 3, 4;
    ELSE
        DELETE FROM "AssetCount";
    END IF;
    RETURN NULL;
END $$;

DELETE FROM "AssetCount";
INSERT INTO "AssetCount" ("status", "template", "templateRevision", "telegramBotId", "count")
SELECT "status", "template", "templateRevision", CASE WHEN "telegramFileId" IS NOT NULL THEN "telegramBotId" END, count(*) FROM "VideoAsset" GROUP BY 1, 2, 3, 4;
