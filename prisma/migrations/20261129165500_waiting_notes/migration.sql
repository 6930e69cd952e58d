-- AlterTable
ALTER TABLE "VideoAsset" ADD COLUMN "renderedAt" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "WaitingNote" (
    "requestId" TEXT NOT NULL,
    "says" TEXT NOT NULL,
    "promisedAt" TIMESTAMPTZ(3) NOT NULL,
    "dueAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "WaitingNote_pkey" PRIMARY KEY ("requestId")
);

-- CreateIndex
CREATE INDEX "WaitingNote_dueAt_idx" ON "WaitingNote"("dueAt");

-- The line of those who wait for a video that is to be made, in the order in which they are served.
CREATE INDEX "UserRequest_line_idx" ON "UserRequest"("behind", "createdAt") WHERE "status" = 'PENDING' AND NOT "hit";

-- Notes of people who wait at this moment are taken up as well.
INSERT INTO "WaitingNote" ("requestId", "says", "promisedAt", "dueAt")
  SELECT "id", 'making', "createdAt" + interval '2 minutes', now() FROM "UserRequest"
  WHERE "status" = 'PENDING' AND "noteMessageId" IS NOT NULL;
